"""The rules that our specs keep, so that the tools behind them drop or bend nothing without a word.

From outside use `stages.lint`; the other modules are its rules.
"""
