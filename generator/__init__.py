"""Builds the generated package from the specs: lint, render, stamp, check.

`python -m generator` is the command. Imports run downwards: `__main__`, `build`, `stamp`; `release`; `official`;
`lint` and `render`, which do not know each other; `spec`; `runtime` and `versions`.
"""
