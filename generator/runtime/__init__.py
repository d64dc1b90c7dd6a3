"""The hand-written modules that are copied unchanged to the root of the generated package."""
