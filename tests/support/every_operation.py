"""Every operation of both surfaces, with the fewest arguments that it can be called with."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import MethodType
from typing import Any, NamedTuple

import httpx

import adsecurity
from adsecurity_generated._operation import Operation, Param
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.surface import SURFACE as NETWORK

KEY = "every-operation-key"
CLIENTS: dict[str, tuple[type[Any], type[Any]]] = {
    "network": (adsecurity.NetworkClient, adsecurity.AsyncNetworkClient),
    "adsecurity": (adsecurity.AdsecurityClient, adsecurity.AsyncAdsecurityClient),
}
_VALUES: dict[str, Any] = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "array": ["x"]}
_DAY = {"start": "2026-11-01", "end": "2026-11-02", "": "2026-11-01"}


class Target(NamedTuple):
    """One operation."""

    surface: Any
    op: Operation[Any]

    @property
    def name(self) -> str:
        return f"{self.surface.name}:{self.op.id}"

    def model(self, param: Param) -> Any:
        return self.surface.model(param.model)

    def method(self, client: Any) -> Any:
        """The method under a client; a namespace is entered by an id."""
        for part in self.op.resource.split("."):
            client = client("org") if isinstance(client, MethodType) else client
            client = getattr(client, part)
        return client

    def call(self, client: Any, **more: Any) -> Any:
        """Call the method with the fewest arguments, and those."""
        method = self.method(client)
        values = {param.arg: self.value(param) for param in self.op.params if param.required and not param.from_path}
        values.update(more)
        positional = [
            values.pop(name, "x")
            for name, parameter in inspect.signature(method).parameters.items()
            if parameter.kind is parameter.POSITIONAL_ONLY
        ]
        return method(*positional, **{name: value for name, value in values.items() if not self._bound(name)})

    def _bound(self, name: str) -> bool:
        path = [param.arg for param in self.op.params if param.place == "path"]
        return name in path

    def value(self, param: Param) -> Any:
        if param.time:
            return _DAY[param.edge]
        if param.kinds[:1] == ("array",):
            item = param.items[0] if param.items else "string"
            return [_VALUES[item]]
        return _VALUES[param.kinds[0]] if param.kinds else "x"


def targets() -> Iterator[Target]:
    for surface in (NETWORK, ADSECURITY):
        for name in surface.routes:
            yield Target(surface, surface.operation(name))


def client(surface: str, transport: httpx.MockTransport, *, is_async: bool = False) -> Any:
    return CLIENTS[surface][is_async](api_key=KEY, base_url="https://h.example", transport=transport)
