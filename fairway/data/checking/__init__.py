"""How ``fairway.data.check`` asks an engine which rows break a promise.

Room: ``fairway.data``.
"""
