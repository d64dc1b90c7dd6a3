"""What the hand-made commands share: which API, which integration, which days, which fields."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import click

from .connect import choose_surface
from .dates import Span, span, written
from .description import Operation, Surface
from .failures import Usage
from .parameters import check_field
from .settings import SURFACES, Settings

F = TypeVar("F", bound=Callable[..., Any])

SURFACE = click.option(
    "--surface",
    type=click.Choice(list(SURFACES)),
    default=None,
    help="Which API; without it the one that has a key.",
)
INTEGRATION = click.option("--integration", default="", metavar="ID", help="The integration whose rows are wanted.")
FIELDS = click.option("--fields", multiple=True, metavar="NAMES", help="Fields, joined by commas; without it all.")


def range_options(function: F) -> F:
    """`--since`, `--until`, `--yesterday`, `--month`, `--timezone`."""
    for option in reversed(
        (
            click.option("--since", default="", metavar="TIME", help="Start: 7d, 24h, 2w, 2026-11-01, ..."),
            click.option("--until", default="", metavar="TIME", help="End, itself left out; without it now."),
            click.option("--yesterday", is_flag=True, help="The whole day before today."),
            click.option("--month", default="", metavar="YYYY-MM", help="A whole month."),
            click.option("--timezone", default="", metavar="ZONE", help="Whose midnights count; UTC."),
        )
    ):
        function = option(function)
    return function


class Range(NamedTuple):
    """What the options of a range say."""

    since: str
    until: str
    yesterday: bool
    month: str
    timezone: str

    def span(self, operation: Operation, now: datetime | None = None) -> Span:
        return span(
            self.since,
            self.until,
            yesterday=self.yesterday,
            month=self.month,
            timezone=self.timezone,
            now=now or datetime.now(UTC),
            whole_days=unit_of(operation) == "day",
        )


def names(texts: Sequence[str]) -> list[str]:
    """Names joined by commas, or given one by one."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def find_operation(resource: str, method: str, surface: str, settings: Settings) -> Operation:
    """An operation that not every API has."""
    from .description import load

    among = tuple(name for name in SURFACES if load(name).has(resource, method))
    if surface and surface not in among:
        raise Usage(f"the {surface} API has no {method} here; --surface {' or '.join(among)} has")
    return choose_surface(surface, settings, among=among).operation(resource, method)


def times_of(operation: Operation) -> tuple[str, str]:
    """The keywords of an operation's range: start and end."""
    start, end = (argument.name for argument in operation.arguments if argument.time)
    return start, end


def unit_of(operation: Operation) -> str:
    return next(argument.time for argument in operation.arguments if argument.time)


def range_keywords(operation: Operation, found: Span, timezone: str) -> dict[str, Any]:
    """The keywords that ask for a range, written as the API takes them, so that a later call can say the same."""
    unit, (start, end) = unit_of(operation), times_of(operation)
    keywords: dict[str, Any] = {
        start: written(found.start, unit=unit, timezone=timezone),
        end: written(found.end, unit=unit, timezone=timezone),
    }
    if timezone and any(argument.name == "timezone" for argument in operation.arguments):
        keywords["timezone"] = timezone
    return keywords


def check_fields(columns: Collection[str], fields: Sequence[str]) -> None:
    """Refuse fields that rows do not have, where it is known which they have."""
    for name in fields if columns else ():
        check_field("--fields", name, columns)


def integration_of(operation: Operation, integration: str) -> str:
    if not integration:
        raise Usage(
            "say which integration is meant: --integration ID. The ids stand in your network's administration, in"
            " `adsecurity adsecurity offers list-all --columns integration`, and where there have been exports, in"
            f" `adsecurity {operation.surface.name} exports list` (nothing was sent)"
        )
    return integration


def again(*words: str, surface: Surface, settings: Settings) -> str:
    """A command to copy."""
    profile = ["--profile", settings.profile] if settings.profile else []
    return shlex.join(["adsecurity", *words, "--surface", surface.name, *profile])
