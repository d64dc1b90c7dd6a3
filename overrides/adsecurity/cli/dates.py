"""Ranges of time as people say them: `--since 7d`, `--yesterday`, `--month 2026-10`.

Days are whole days from midnight in the time zone, hours are exact, and every range is half-open: its start belongs to
it, its end does not.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .failures import Usage

_AGO = re.compile(r"(\d{1,5})([hdw])")
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")
EXAMPLES = "7d, 24h, 2w, yesterday, 2026-11-01 or '2026-11-01 13:30'"


class Span(NamedTuple):
    """A half-open range: of days where both ends are midnights, otherwise of moments."""

    start: datetime
    end: datetime

    @property
    def in_days(self) -> bool:
        return self.start.time() == time() and self.end.time() == time()


def zone(name: str) -> tzinfo:
    if name in ("", "UTC"):
        # Windows, and small images, have no zone data, and UTC needs none.
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Usage(f"--timezone: {name!r} is no time zone; it must look like Europe/Berlin") from None


def _midnight(day: date, there: tzinfo) -> datetime:
    return datetime.combine(day, time(), there)


def _moment(option: str, text: str, now: datetime, there: tzinfo) -> datetime:
    today = now.astimezone(there).date()
    words = {"now": now, "today": _midnight(today, there), "yesterday": _midnight(today - timedelta(1), there)}
    if text in words:
        return words[text]
    try:
        if found := _AGO.fullmatch(text):
            count = int(found[1])
            if found[2] == "h":
                return now - timedelta(hours=count)
            return _midnight(today - timedelta(days=count * (7 if found[2] == "w" else 1)), there)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return _midnight(date.fromisoformat(text), there)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise Usage(f"{option}: {text!r} is no time; it must look like {EXAMPLES} (nothing was sent)") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=there)


def span(
    since: str, until: str, *, yesterday: bool, month: str, timezone: str, now: datetime, whole_days: bool
) -> Span:
    """The range that the options say; `whole_days` for an API that knows nothing shorter."""
    there = zone(timezone)
    given = [name for name, value in (("--since", since), ("--yesterday", yesterday), ("--month", month)) if value]
    if len(given) != 1 or (until and given != ["--since"]):
        raise Usage(f"say one of --since (with or without --until), --yesterday, --month; --since takes {EXAMPLES}")
    today = now.astimezone(there).date()
    if yesterday:
        found = Span(_midnight(today - timedelta(1), there), _midnight(today, there))
    elif month:
        found = _month(month, there)
    else:
        start = _moment("--since", since, now, there)
        # Of an API that knows days alone, today is as much of a day as it can give.
        latest = _midnight(today + timedelta(1), there) if whole_days else now.replace(microsecond=0)
        found = Span(start, _moment("--until", until, now, there) if until else latest)
    if found.start >= found.end:
        raise Usage("the range is empty: it starts at {:%Y-%m-%d %H:%M} and ends at {:%Y-%m-%d %H:%M}".format(*found))
    if whole_days and not Span(*found).in_days:
        raise Usage("this API takes whole days: say days (7d) or dates (2026-11-01) instead of hours")
    return found


def _month(text: str, there: tzinfo) -> Span:
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 12 or not 1 <= int(found[1]) < 9999:
        raise Usage(f"--month: {text!r} is no month; it must look like 2026-10")
    first = date(int(found[1]), int(found[2]), 1)
    after = (first + timedelta(31)).replace(day=1)
    return Span(_midnight(first, there), _midnight(after, there))


def written(moment: datetime, *, unit: str, timezone: str) -> str:
    """A moment as the API takes it: a day, or seconds on the wall clock of the time zone."""
    local = moment.astimezone(zone(timezone)) if unit == "second" else moment
    if unit == "day":
        return local.date().isoformat()
    return local.replace(tzinfo=None, microsecond=0).isoformat(sep=" ")
