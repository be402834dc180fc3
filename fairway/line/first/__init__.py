"""What ``new`` finds out about a table before it writes a first project, and how it spells that."""
