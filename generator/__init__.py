"""Builds the generated package from the specs: lint, generate, stamp, check.

`python -m generator` is the entrance. Imports run downwards: `__main__`, `build`, `stamp`; `release`; `official`;
`lint` and `render`, which do not know each other; `spec`; `runtime` and `versions`.
"""
