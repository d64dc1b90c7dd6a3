"""Descriptors of operations, their parameters and their surface.

Nothing here does I/O: requests are sent by the package that imports this one.
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


QueryValue: TypeAlias = "FilterScalar | Sequence[FilterScalar]"
"""A query parameter's value; a list of them repeats the key."""


@attrs.frozen(eq=False, repr=False)
class Param:
    """One parameter of an operation: its place on the wire, and the keyword that sets it."""

    name: str
    """Name on the wire, such as ``filter[status]``."""
    arg: str
    """Name of the Python keyword, such as ``status``."""
    place: str
    """``path``, ``query`` or ``body``."""
    kinds: tuple[str, ...] = ()
    """Allowed JSON types (string, integer, number, boolean, array, object); empty means any."""
    items: tuple[str, ...] = ()
    """Allowed JSON types of an array's items; empty means any."""
    required: bool = False
    style: str = ""
    """How a query value is written: ``""`` plain, ``repeat``ed keys, ``comma``-separated, ``deep`` objects."""
    time: str = ""
    """``second`` or ``day`` when the value is a point in time, otherwise empty."""
    edge: str = ""
    """``start`` or ``end`` of a range."""
    secret: bool = False
    mirror: bool = False
    """A query parameter whose value is also sent in the JSON body, under the same name."""
    from_path: str = ""
    """Keyword of the path id that is used for this body field when it is left out."""
    deprecated: str = ""
    """What to use instead; empty if the parameter is not deprecated."""
    deprecated_inside: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Deprecated fields of a nested object: the path of wire names to each, and what to use instead."""
    model: str = ""
    """Name of the model that describes a nested object (or an array's items)."""
    non_empty: bool = False
    """An array that must have at least one item."""


@attrs.frozen(eq=False, repr=False)
class Range:
    """The time range of a report: keywords of its two ends, and the fields that identify its rows."""

    start: str
    end: str
    unit: str
    """``second`` or ``day``."""
    time_field: str
    """Wire name of the row's time."""
    key: str
    """Wire name of the field that identifies a row."""


@attrs.frozen(eq=False, repr=False)
class Operation(Generic[T]):
    """Everything that is needed to call one operation and to decode its response."""

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
    """Whether it only reads and may be repeated: every GET, and the POST reports."""
    range: Range | None = None
    export_role: str = ""
    """``start``, ``status`` or ``signed-url``."""
    rows: str = ""
    """Name of the model whose fields type the columns of the exported CSV."""
    deprecated: str = ""
    has_body: bool = False
    paging: tuple[tuple[str, str], ...] = ()
    """Paging parameters that are called otherwise on the wire: ``(("page[number]", "page"),)``."""


@attrs.frozen(eq=False, repr=False)
class Route:
    """An entry in the table of operations: its generated module, its method and path."""

    module: str
    """Module of the descriptor, relative to the surface's package, such as ``.api.users.list_users``."""
    method: str
    path: str
    evidence: str
    resource: str


@attrs.frozen(eq=False, repr=False)
class Surface:
    """One of the APIs: its names, its host, and the table of its operations."""

    name: str
    client_name: str
    env_prefix: str
    default_base_url: str | None
    """The documented host; None where the documentation names none."""
    likely_base_url: str
    """The documented host, or the most likely one."""
    default_headers: Mapping[str, str]
    routes: Mapping[str, Route]
    export_status: str
    """operationId of the operation that reads an export's state; empty where there is none."""
    export_signed_url: str
    """operationId of the operation that signs an artifact's URL; empty where there is none."""
    secrets: frozenset[str]
    """Wire names of fields and parameters whose values are secret."""
    package: str
    """Dotted name of the surface's generated package, also in a vendored copy."""
    paging: tuple[tuple[str, str], ...] = ()
    """Paging parameters that its lists call otherwise on the wire: ``(("page[number]", "page"),)``."""

    def operation(self, operation_id: str) -> Operation[Any]:
        """Return the descriptor of an operation; its module is imported on the first call."""
        module = import_module(self.routes[operation_id].module, self.package)
        return cast("Operation[Any]", module.OPERATION)

    def model(self, name: str) -> type[Any]:
        """Return a model class by its name; its module is imported on the first call."""
        return cast("type[Any]", getattr(import_module(".models", self.package), name))
