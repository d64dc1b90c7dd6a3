"""What an adoption did, row by row, and what the person who ran it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """The new text of a spec; rows are for people, in the order in which they came up."""

    text: str = ""
    moved: list[str] = field(default_factory=list[str])
    added: list[str] = field(default_factory=list[str])
    facts: list[str] = field(default_factory=list[str])
    contradictions: list[str] = field(default_factory=list[str])
    questions: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    gone: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    superseded: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """What the documentation's text says and their file contradicts, as it stands in the list beside the specs."""

    names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """The operationId that an operation of theirs was added under."""

    def supersede(self, operation: str, fact: tuple[str, str, str], documentation: str, official: str) -> None:
        """`fact` is where it stands (`query`, `body`, `answer` …), its name there, and what of it differs."""
        place, name, aspect = fact
        known = {"operation": operation, "place": place, "name": name, "aspect": aspect}
        self.superseded.append({**known, "documentation": documentation, "official": official})

    @property
    def complete(self) -> bool:
        """Whether everything of theirs was taken over."""
        return not self.questions and not self.left

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        yield "routes taken over", self.moved
        yield "operations added", self.added
        yield "facts taken over", self.facts
        yield "contradictions, ours kept (PREFER=theirs takes theirs)", self.contradictions
        yield "asked (answer with ACCEPT=, several separated by ;)", self.questions
        yield "left out", self.left
        yield "only ours, kept", self.gone
        yield "to know", self.notes
