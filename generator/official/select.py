"""Which of our surfaces a document describes: one of them, or both in one file."""

from __future__ import annotations

from collections.abc import Sequence

from .choices import Choices
from .compare import Comparison, compared
from .document import Document
from .match import Match, match
from .operations import Operation
from .references import DocumentError


def compare(
    surfaces: Sequence[Document], theirs: Document, *, only: str = "", choices: Choices | None = None
) -> list[Comparison]:
    """The comparisons with those of our surfaces that the document describes; with `only` just that one."""
    choices = choices or Choices()
    skipped = {one.key for one in choices.skipped(theirs.operations)}
    offered = [one for one in theirs.operations if one.key not in skipped]
    named = [one for one in surfaces if _name(one) == only] if only else list(surfaces)
    answers = choices.forced([op for one in named for op in one.operations], theirs.operations)
    alone = {one.source: _matched([one], offered, answers) for one in surfaces}
    best = max(named, key=lambda one: sum(pair.score for pair in alone[one.source]))
    described = [best]
    for one in surfaces:
        if one is not best and _is_described(one, offered, alone[best.source]):
            described.append(one)
    # Both in one file: each operation of theirs goes to the one of all of ours that it fits best.
    pairs = _matched(described, offered, answers) if len(described) > 1 else alone[best.source]
    if not pairs:
        names = " and ".join(one.source for one in named)
        raise DocumentError(
            f"{theirs.source}: none of its {len(theirs.operations)} operations is one of ours ({names}); "
            "is it the description of another API?"
        )
    taken = {pair.theirs.key for pair in pairs}
    left = [one for one in offered if one.key not in taken]
    chosen = [one for one in described if not only or one is best]
    found: list[Comparison] = []
    for one in surfaces:
        if one in chosen:
            own = [pair for pair in pairs if pair.ours.document is one]
            # What is in neither surface is told, and added, once.
            found.append(compared(one, theirs, own, left if one is best else [], choices))
    return found


def _name(document: Document) -> str:
    return str(document.root.get("x-surface"))


def _matched(
    documents: Sequence[Document],
    theirs: Sequence[Operation],
    answers: dict[tuple[str, tuple[str, str]], Operation | None],
) -> list[Match]:
    ours = [operation for one in documents for operation in one.operations]
    forced = {
        index: answers[one.document.source, one.key]
        for index, one in enumerate(ours)
        if (one.document.source, one.key) in answers
    }
    return match(ours, theirs, forced)


def _is_described(document: Document, offered: Sequence[Operation], taken: Sequence[Match]) -> bool:
    """Whether most of a surface is found in what another one has left over."""
    known = {pair.theirs.key for pair in taken}
    rest = [one for one in offered if one.key not in known]
    return 2 * len(match(document.operations, rest)) >= len(document.operations)
