"""What the generated code is made of: plain descriptions of operations, their parameters and their surface.

Nothing here does I/O. The session that sends requests belongs to the package that imports this one.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

import attrs

T = TypeVar("T")


class Unset(enum.Enum):
    """The type of :data:`UNSET`, which stands for an argument that was not given."""

    UNSET = "unset"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


FilterScalar: TypeAlias = str | int | float | bool | dt.date | dt.datetime
"""A value to compare with; a list of them repeats the key."""
FilterValue: TypeAlias = "FilterScalar | Sequence[FilterScalar] | Mapping[str, FilterValue]"
"""A value, several, or an operator (or inner field) with its value: ``{"gte": "2026-01-01"}``."""


@attrs.frozen
class Param:
    """One parameter of an operation: where it goes on the wire, and which keyword fills it."""

    name: str
    """Name on the wire, such as ``filter[status]``."""
    arg: str
    """Name of the Python keyword, such as ``status``."""
    place: str
    """``path``, ``query`` or ``body``."""
    kinds: tuple[str, ...] = ()
    """JSON kinds that fit (string, integer, number, boolean, array, object); empty means that anything does."""
    items: tuple[str, ...] = ()
    """JSON kinds of an array's items; empty means that anything does."""
    required: bool = False
    style: str = ""
    """How a query value is written: ``""`` as it is, ``repeat`` the key, ``comma`` joined, ``deep`` objects."""
    time: str = ""
    """``second`` or ``day`` when the value is a point in time, otherwise empty."""
    edge: str = ""
    """``start`` or ``end`` of a range."""
    secret: bool = False
    mirror: bool = False
    """A query parameter whose value is also sent in the JSON body, under the same name."""
    from_path: str = ""
    """Keyword of the path id that fills this body field when it is left out."""
    deprecated: str = ""
    """What to use instead; empty while the parameter is current."""
    deprecated_inside: tuple[tuple[tuple[str, ...], str], ...] = ()
    """The same for fields of a nested object: wire names on the way to each, and what to use instead."""
    model: str = ""
    """Name of the model that describes a nested object (or an array's items)."""
    non_empty: bool = False
    """An array that must name at least one item."""


@attrs.frozen
class Range:
    """The time range of a report: keywords of its two ends, and how to tell its rows apart."""

    start: str
    end: str
    unit: str
    """``second`` or ``day``."""
    time_field: str
    """Wire name of the row's time."""
    key: str
    """Wire name of the field that identifies a row."""


@attrs.frozen(eq=False)
class Operation(Generic[T]):
    """Everything that the session needs to know to call one operation and to read its answer."""

    id: str
    surface: str
    method: str
    path: str
    """Route template with wire names in braces, such as ``/api/v2/users/{userID}``."""
    kind: str
    evidence: str
    resource: str
    """Name under the client, such as ``offers.list``."""
    params: tuple[Param, ...]
    model: type[T] | None = None
    safe: bool = False
    """Reads that may be repeated: every GET, and the POST reports."""
    range: Range | None = None
    export_role: str = ""
    """``start``, ``status`` or ``signed-url``."""
    rows: str = ""
    """Name of the model whose fields type the columns of the exported CSV."""
    deprecated: str = ""
    has_body: bool = False
    paging: tuple[tuple[str, str], ...] = ()
    """Paging parameters that are called otherwise on the wire: ``(("page[number]", "page"),)``."""


@attrs.frozen
class Route:
    """Where an operation lives: its generated module, and its place on the wire."""

    module: str
    """Module of the descriptor, relative to the surface's package, such as ``.api.users.list_users``."""
    method: str
    path: str
    evidence: str
    resource: str


@attrs.frozen(eq=False)
class Surface:
    """One of the APIs: its names, its host, and the table of its operations."""

    name: str
    client_name: str
    env_prefix: str
    default_base_url: str | None
    """The documented host; None where the documentation names none."""
    likely_base_url: str
    """The documented host, or the likeliest guess."""
    default_headers: Mapping[str, str]
    routes: Mapping[str, Route]
    export_status: str
    """operationId of the operation that reads an export's state; empty where there is none."""
    export_signed_url: str
    """operationId of the operation that signs an artifact's address; empty where there is none."""
    secrets: frozenset[str]
    """Names on the wire, of fields and parameters, whose values must never be shown."""
    package: str
    """Dotted name of the surface's generated package, wherever it has been copied to."""

    def operation(self, operation_id: str) -> Operation[Any]:
        """Return the descriptor of an operation; its module is imported on the first call."""
        module = import_module(self.routes[operation_id].module, self.package)
        return cast("Operation[Any]", module.OPERATION)

    def model(self, name: str) -> type[Any]:
        """Return a model class by its name; its module is imported on the first call."""
        return cast("type[Any]", getattr(import_module(".models", self.package), name))
