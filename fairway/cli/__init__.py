"""The command line: one file per verb, each calling one function of ``fairway.line``.

Room: the last. It reads arguments, the clock and the environment, prints answers, and turns errors
into exit codes. It decides nothing: a second caller of ``line`` must be able to do the same.
"""
