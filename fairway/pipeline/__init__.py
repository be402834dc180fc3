"""Runs commands and remembers truthfully what they made."""
