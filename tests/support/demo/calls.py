"""Calls as the core's pure parts see them."""

from __future__ import annotations

from typing import Any

from adsecurity.codec.failure import CallContext
from adsecurity.codec.request import prepare
from adsecurity.codec.secrets import Secret
from tests.support.demo.surface import GET, KEY, SURFACE


def call_of(op: Any = GET, **args: Any) -> CallContext:
    args = args or {"thing_id": "1"}
    prepared = prepare(op, args, base_url="https://api.example", routes={}, surface=SURFACE)
    return CallContext(prepared, Secret(KEY), SURFACE.secrets, SURFACE.env_prefix)


READ = call_of()
