"""How ``fairway.data.source`` reads: one engine, and one file a form of source.

Room: ``fairway.data``.
"""
