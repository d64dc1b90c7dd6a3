"""How the resources of a source are read: from when on, up to when, and by what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import attrs

from ..codec.times import encode_time, zone

Moment: TypeAlias = datetime | date | str


@attrs.frozen
class Reading:
    """What all resources of a source have in common. Raises ValueError for what cannot be."""

    start_time: Moment | None
    end_time: Moment | None
    lag: timedelta
    backfill: str
    export_timezone: str | None
    page_size: int
    concurrency: int

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.lag, timedelta) or self.lag < timedelta(0):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"lag is a timedelta from 0 on, not {self.lag!r}")
        if self.backfill not in ("pages", "export"):
            raise ValueError(f"backfill is 'pages' or 'export', not {self.backfill!r}")
        if self.export_timezone is not None:
            try:
                zone(self.export_timezone)
            except ValueError:
                raise ValueError(f"export_timezone: this machine knows no time zone {self.export_timezone!r}") from None
        if self.start_time is None:
            if self.end_time is not None:
                raise ValueError("end_time needs a start_time")
            return
        start, end = self.bounds()
        if self.end_time is not None and not start < end:
            raise ValueError("start_time must be before end_time")

    def bounds(self) -> tuple[datetime, datetime]:
        """Both ends, in whole seconds; without an end that is asked for, up to now."""
        end = datetime.now(UTC) if self.end_time is None else self.end_time
        return _moment("start_time", self.start_time, "start"), _moment("end_time", end, "end")


def _moment(name: str, value: Any, edge: str) -> datetime:
    try:
        text = encode_time(value, unit="second", edge=edge)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} {error}") from None
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
