"""Judges by rule, signs, releases."""
