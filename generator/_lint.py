"""Checks of a spec before anything is generated from it: what the tools would drop or bend without a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from ._lint_kinds import KIND_RULES
from ._lint_operations import OPERATION_RULES
from ._lint_parameters import PARAMETER_RULES
from ._lint_root import ROOT_RULES
from ._lint_schemas import SCHEMA_RULES
from ._lint_shape import SHAPE_RULES, TOOL_RULES
from ._source import Problem
from ._spec import Spec

Rule: TypeAlias = Callable[[Spec], Iterable[Problem]]

# Each stage relies on what the ones before it have found sound.
_STAGES: tuple[tuple[Rule, ...], ...] = (
    SHAPE_RULES,
    ROOT_RULES,
    SCHEMA_RULES,
    OPERATION_RULES,
    PARAMETER_RULES,
    KIND_RULES,
    TOOL_RULES,
)


def lint(spec: Spec) -> list[Problem]:
    """Return every rule that a spec breaks, of the first stage that finds any."""
    for stage in _STAGES:
        problems = [problem for rule in stage for problem in rule(spec)]
        if problems:
            return problems
    return []
