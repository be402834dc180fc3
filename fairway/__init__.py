"""Fairway: one release line from the sources of data to a model in production, and back.

The flow, in the order of the folders: ``store`` keeps bytes, evidence and pointers; ``data`` reads
sources, checks contracts, takes snapshots, splits them, looks for leaks and fits repairs;
``tracking`` is the logbook of runs; ``model`` runs a model of any framework or language;
``pipeline`` runs commands and remembers what they made; ``evaluation`` measures; ``delivery``
judges, signs and releases; ``project`` reads ``fairway.toml``; ``line`` is one function per verb;
``cli`` is the command line.
"""

__version__ = "2026.11.0"
