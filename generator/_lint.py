"""Checks of a spec before anything is generated from it."""

from __future__ import annotations

from ._source import Problem
from ._spec import Spec


def lint(spec: Spec) -> list[Problem]:
    """Return every rule that a spec breaks."""
    return []
