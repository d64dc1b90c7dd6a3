"""Builds the generated package from the specs: lint, generate, stamp, check."""
