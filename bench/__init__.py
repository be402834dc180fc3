"""Speed and memory beside peers: ``python -m bench`` measures all in one go and prints one table.

A figure means something only beside another of the same run: each stands beside a peer that does
the same, or beside its bar. Nothing here is a test; a missed bar ends with exit code 1.
"""
