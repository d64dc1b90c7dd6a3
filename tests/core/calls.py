"""Calls as the core's pure parts see them."""

from __future__ import annotations

from typing import Any

from adsecurity._failure import Call
from adsecurity._request import prepare
from adsecurity._secrets import Secret
from tests.core.surface import GET, KEY, SURFACE


def call_of(op: Any = GET, **args: Any) -> Call:
    args = args or {"thing_id": "1"}
    prepared = prepare(op, args, base_url="https://api.example", routes={}, surface=SURFACE)
    return Call(prepared, Secret(KEY), SURFACE.secrets, SURFACE.env_prefix)


READ = call_of()
