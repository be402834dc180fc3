"""The logbook of runs and their candidates."""
