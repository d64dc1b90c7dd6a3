"""Where a listing stands, as text that another process can go on from.

A checkpoint names the operation and holds a hash of each argument, never the arguments themselves, and no key.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import attrs

from ..codec.request import PreparedRequest

VERSION = 2
MAX_PAGE = 100
"""No response has more rows than this, even where more were asked for."""


@attrs.frozen
class Position:
    """A place between two items of a listing."""

    page: int = 0
    """Number of the page to read; 0 where pages have no numbers."""
    cursor: str = ""
    """Cursor to read the page with; empty for the first page."""
    skip: int = 0
    """How many items of that page the caller has got."""
    total: int = 0
    """How many items the server counted; 0 when it did not."""
    mark: str = ""
    """Hash of the last item that came from a page without a cursor: rows may come in before it."""
    nth: int = 0
    """How many items with that hash had come."""
    end: bool = False
    """Nothing is left."""
    uneven: bool = False
    """A numbered page before this one was not full, so that the number does not tell how many items came before."""
    left_out: bool = False
    """The row before this place lay outside of a half-open range."""

    @property
    def at_start(self) -> bool:
        """No item of the list has been read before this place."""
        return not (self.cursor or self.skip or self.mark or self.end or self.page > 1)

    def facts(self) -> dict[str, Any]:
        """Only what is set, as a checkpoint holds it."""
        return {name: value for name, value in attrs.asdict(self).items() if value}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Position:
        """The position that a part of a checkpoint tells."""
        if not all(name in _BLANK and type(value) is type(_BLANK[name]) for name, value in facts.items()):
            raise ValueError("resume: the checkpoint has been changed; pass the text that checkpoint() gave")
        return cls(**facts)


_BLANK = attrs.asdict(Position())


@attrs.frozen(eq=False)
class Checkpoint:
    """What `resume=` was given, once it is known to belong to the call."""

    at: Mapping[str, Any]
    page_size: int
    """The size of the pages that its position counts in."""
    concurrent: bool
    """Written by a call with `concurrency`."""
    since: Mapping[str, Any] | None = None
    """What had come, for a call with `since=`."""


@attrs.frozen(eq=False)
class CheckpointHeader:
    """What a checkpoint belongs to: one operation with its arguments."""

    operation: str
    hashes: Mapping[str, str]
    """By the name of the argument."""
    page_size: int
    _prepared: PreparedRequest
    _backwards: bool

    @classmethod
    def of(
        cls,
        prepared: PreparedRequest,
        *,
        page_size: int,
        backwards: bool = False,
        inclusive: str = "both",
        since: str | None = None,
    ) -> CheckpointHeader:
        """The header of a request as the caller made it: before anything adds its own parameters."""
        operation = f"{prepared.op.surface}.{prepared.op.id}"
        sent: dict[str, list[object]] = {}
        for name, value in _arguments(prepared):
            sent.setdefault(name, []).append(value)
        if backwards:
            sent["before"] = [True]
        if inclusive != "both":
            sent["inclusive"] = [inclusive]
        if since is not None:
            sent["since"] = [since]
        hashes = {name: _digest([operation, name, values])[:8] for name, values in sorted(sent.items())}
        return cls(operation, hashes, page_size, prepared, backwards)

    def write(
        self, at: Mapping[str, object], since: Mapping[str, Any] | None = None, *, concurrent: bool = False
    ) -> str:
        """The checkpoint of a position."""
        facts = {"v": VERSION, "op": self.operation, "args": self.hashes, "size": self.page_size, "at": at}
        if concurrent:
            facts["concurrent"] = True
        if since is not None:
            facts["since"] = since
        return json.dumps(facts, separators=(",", ":"))

    def write_position(self, position: Position, since: Mapping[str, Any] | None = None) -> str:
        """The checkpoint of a position in a list that is read by one."""
        return self.write(position.facts(), since)

    def read(self, checkpoint: str) -> Checkpoint:
        """What a checkpoint holds; ValueError when it belongs to something else."""
        try:
            loaded: object = json.loads(checkpoint)
        except (TypeError, ValueError):
            loaded = None
        facts = cast("dict[str, Any]", loaded) if isinstance(loaded, dict) else {}
        if not isinstance(facts.get("at"), dict):
            raise ValueError("resume: not a checkpoint; pass the text that checkpoint() gave, unchanged")
        if facts.get("v") not in (1, VERSION):
            raise ValueError(f"resume: checkpoint of version {facts.get('v')!r}, this client reads 1 to {VERSION}")
        if facts.get("op") != self.operation:
            raise ValueError(f"resume: the checkpoint is of {facts.get('op')}, not of {self.operation}")
        if facts["v"] == 1:
            return self._read_first_version(facts)
        hashes, size, concurrent = facts.get("args"), facts.get("size"), facts.get("concurrent", False)
        if not isinstance(hashes, dict) or type(size) is not int or size < 1 or type(concurrent) is not bool:
            raise ValueError("resume: the checkpoint has been changed; pass the text that checkpoint() gave")
        self._check_arguments(cast("dict[str, str]", hashes))
        return Checkpoint(facts["at"], size, concurrent, facts.get("since"))

    def _check_arguments(self, hashes: Mapping[str, str]) -> None:
        names = sorted({*hashes, *self.hashes})
        different = [name for name in names if hashes.get(name) != self.hashes.get(name)]
        if not different:
            return
        text = (
            f"resume: the checkpoint is of {self.operation} with other arguments: {', '.join(different)}"
            f" {'differs' if len(different) == 1 else 'differ'}; pass what the first call was given, or no resume="
        )
        times = self._prepared.op.range
        if times is not None and {times.start, times.end} & {*different}:
            text += (
                f". A checkpoint goes on within the range that it was made in: to read on behind that, finish it with"
                f" the old {times.end} first, then make a new call whose {times.start} is the old {times.end}"
                " (with inclusive='left' in both, no row at that moment comes twice or is missed)"
            )
        raise ValueError(text)

    def _read_first_version(self, facts: Mapping[str, Any]) -> Checkpoint:
        """Read what has one hash for all arguments, page size and concurrency included."""
        digests = {
            self._first_version_digest(page_size=self.page_size, backwards=self._backwards): False,
            self._first_version_digest(page_size=self.page_size, concurrency=True): True,
        }
        concurrent = digests.get(facts.get("args", ""))
        if concurrent is None or "inclusive" in self.hashes:
            raise ValueError(
                f"resume: the checkpoint is of {self.operation} with other arguments or another page_size; an earlier"
                " version wrote it, so which of them is not known: pass what the first call was given, without"
                " inclusive="
            )
        return Checkpoint(facts["at"], self.page_size, concurrent)

    def _first_version_digest(self, **paging: object) -> str:
        prepared = self._prepared
        return _digest([urlsplit(prepared.url).path, prepared.query, prepared.body, paging])[:16]


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _arguments(prepared: PreparedRequest) -> Iterator[tuple[str, object]]:
    """What is sent for each argument, under the argument's name."""
    params = {(param.place, param.name): param.arg for param in prepared.op.params}
    pattern = re.sub(r"\\\{.*?\\\}", "([^/]*)", re.escape(prepared.route)) + "$"
    if path := re.search(pattern, urlsplit(prepared.url).path):
        names: list[str] = re.findall(r"\{(.*?)\}", prepared.route)
        for name, value in zip(names, path.groups(), strict=True):
            yield params.get(("path", name), name), value
    for name, value in prepared.query:
        # filter[role][eq] belongs to `filter`, unless an argument of its own is behind it.
        owner = name
        while ("query", owner) not in params and "[" in owner:
            owner = owner.rpartition("[")[0]
        yield params.get(("query", owner), name), [name, value]
    for name, value in (prepared.body or {}).items():
        if ("query", name) not in params:
            yield params.get(("body", name), name), value


def convert_position(position: Position, checkpoint: Checkpoint, *, page_size: int, backwards: bool) -> Position:
    """The same place counted in pages of another size; ValueError says which size to use where there is none."""
    old, new = min(checkpoint.page_size, MAX_PAGE), min(page_size, MAX_PAGE)
    if old == new or position.end:
        return position
    if not position.page:
        # A cursor names a row, and the rows behind it are counted from there; backwards, a page begins elsewhere.
        possible = not (backwards and position.skip)
        converted = position
    else:
        possible = not position.uneven
        items = (position.page - 1) * old + position.skip
        converted = attrs.evolve(position, page=items // new + 1, skip=items % new)
    if not possible:
        raise ValueError(
            f"resume: this checkpoint cannot go on with page_size={page_size}; use page_size={checkpoint.page_size}"
        )
    return converted
