"""What ``fairway.data.leakage`` measures, follows and rebuilds to find leaking columns.

Room: ``fairway.data``.
"""
