"""What the person who has the vendor's file decides: answers to questions, what to leave out, whose facts win."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .operations import Operation, anonymous
from .references import DocumentError

NOTHING = "none"


@dataclass(frozen=True)
class Choices:
    accept: Mapping[str, str] = field(default_factory=dict[str, str])
    """Their route, or `none`, by our operationId or by the name in Python."""
    skip: tuple[str, ...] = ()
    """Routes or operationIds of theirs."""
    prefer_theirs: bool = False

    @classmethod
    def read(cls, accept: str, skip: str, prefer: str) -> Choices:
        """From the texts of the command line, each a list with semicolons."""
        answers: dict[str, str] = {}
        for part in _parts(accept):
            name, equals, route = (one.strip() for one in part.partition("="))
            if not equals or not name or not route:
                raise DocumentError(f'ACCEPT: {part!r} is no answer; write "updateUser=PATCH /people/{{id}}"')
            if answers.setdefault(name, route) != route:
                raise DocumentError(f"ACCEPT: {name} is answered twice")
        return cls(answers, tuple(_parts(skip)), prefer == "theirs")

    def forced(
        self, ours: Sequence[Operation], theirs: Sequence[Operation]
    ) -> dict[tuple[str, tuple[str, str]], Operation | None]:
        """The answers as operations: by our document and route, theirs or None."""
        found: dict[tuple[str, tuple[str, str]], Operation | None] = {}
        for name, route in self.accept.items():
            known = [one for one in ours if name in (one.id, one.name)]
            if not known:
                raise DocumentError(f"ACCEPT: there is no operation {name!r} of ours")
            if len(known) > 1:
                raise DocumentError(f"ACCEPT: {name!r} is an operation of both surfaces: name one with SURFACE=")
            other = None if route == NOTHING else self._one(name, route, theirs)
            if other is not None and other in found.values():
                raise DocumentError(f"ACCEPT: {route} is the answer for two operations")
            found[known[0].document.source, known[0].key] = other
        return found

    @staticmethod
    def _one(name: str, route: str, theirs: Sequence[Operation]) -> Operation:
        known = [one for one in theirs if is_route(one, route)]
        if len(known) != 1:
            what = "no operation" if not known else "more than one operation"
            raise DocumentError(f"ACCEPT: {name}: {what} of theirs is {route!r}")
        return known[0]

    def skipped(self, theirs: Sequence[Operation]) -> list[Operation]:
        for name in self.skip:
            if not any(is_route(one, name) or name == one.id for one in theirs):
                raise DocumentError(f"SKIP: no operation of theirs is {name!r}")
        return [one for one in theirs if any(is_route(one, name) or name == one.id for name in self.skip)]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def is_route(operation: Operation, route: str) -> bool:
    """Whether a text names this route: with the base path or without, whatever its placeholders are called."""
    method, _, path = route.strip().partition(" ")
    wanted = anonymous(path.strip().strip("/"))
    known = (operation.path, operation.key[0])
    return method.lower() == operation.method and any(anonymous(one.strip("/")) == wanted for one in known)
