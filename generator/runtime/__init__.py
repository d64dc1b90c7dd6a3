"""The hand-written modules that are copied unchanged to the root of the generated package."""

SECRET_NAMES: frozenset[str] = frozenset()
"""In the generated package: the names that the specs mark secret."""
