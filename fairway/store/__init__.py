"""The only room that opens Fairway's database or renames a file: bytes, evidence, pointers."""
