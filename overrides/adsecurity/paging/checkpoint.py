"""Where a listing stands, as text that another process can go on from.

A checkpoint names the operation and holds a hash of its arguments, never the arguments themselves, and no key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import attrs

from ..codec.request import PreparedRequest

VERSION = 1


@attrs.frozen
class Position:
    """A place between two items of a listing."""

    page: int = 0
    """Number of the page to read; 0 where pages have no numbers."""
    cursor: str = ""
    """Cursor to read the page with; empty for the first page."""
    skip: int = 0
    """How many items of that page have been handed out."""
    total: int = 0
    """How many items the server counted; 0 when it did not."""
    mark: str = ""
    """Hash of the last item handed out of a page that has no cursor: rows may come in before it."""
    nth: int = 0
    """How many items with that hash had been handed out."""
    end: bool = False
    """Nothing is left."""


_BLANK = attrs.asdict(Position())


@attrs.frozen
class CheckpointHeader:
    """What a checkpoint belongs to: one operation with its arguments."""

    operation: str
    digest: str

    @classmethod
    def of(cls, prepared: PreparedRequest, **paging: object) -> CheckpointHeader:
        """The header of a request as it is before the paging adds its own parameters."""
        facts = [urlsplit(prepared.url).path, prepared.query, prepared.body, paging]
        text = json.dumps(facts, sort_keys=True, default=str)
        return cls(f"{prepared.op.surface}.{prepared.op.id}", hashlib.sha256(text.encode()).hexdigest()[:16])

    def write(self, at: Mapping[str, object]) -> str:
        """The checkpoint of a position, whatever the position is made of."""
        facts = {"v": VERSION, "op": self.operation, "args": self.digest, "at": at}
        return json.dumps(facts, separators=(",", ":"))

    def read(self, checkpoint: str) -> dict[str, Any]:
        """The position that a checkpoint holds; ValueError when it belongs to something else."""
        try:
            facts: object = json.loads(checkpoint)
        except (TypeError, ValueError):
            facts = None
        known = cast("dict[str, Any]", facts) if isinstance(facts, dict) else {}
        if not isinstance(known.get("at"), dict):
            raise ValueError("resume: not a checkpoint; pass the text that checkpoint() gave, unchanged")
        if known.get("v") != VERSION:
            raise ValueError(f"resume: checkpoint of version {known.get('v')!r}, this client reads {VERSION}")
        if known.get("op") != self.operation:
            raise ValueError(f"resume: the checkpoint is of {known.get('op')}, not of {self.operation}")
        if known.get("args") != self.digest:
            raise ValueError(f"resume: the checkpoint is of {self.operation} with other arguments")
        return cast("dict[str, Any]", known["at"])

    def write_position(self, position: Position) -> str:
        """The checkpoint of a position in one plain listing: only what is set is written."""
        return self.write({name: value for name, value in attrs.asdict(position).items() if value})

    def read_position(self, checkpoint: str) -> Position:
        """The position in one plain listing that a checkpoint holds."""
        return self.position(self.read(checkpoint))

    @staticmethod
    def position(at: Mapping[str, Any]) -> Position:
        """The position that a part of a checkpoint tells."""
        if not all(name in _BLANK and type(value) is type(_BLANK[name]) for name, value in at.items()):
            raise ValueError("resume: the checkpoint has been changed, or comes from a call with another concurrency")
        return Position(**at)
