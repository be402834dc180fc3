"""How ``fairway.data.contract`` is read, written and drafted, and what each rule means.

Room: ``fairway.data``.
"""
