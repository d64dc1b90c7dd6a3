"""How a client of one API is made, on the driver and on the executors: key, address, settings."""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Mapping
from typing import Any

import attrs

from adsecurity_generated._operation import Surface

from .. import AdsecurityClient, NetworkClient
from ..errors import ConfigurationError

CLIENTS = {"network": NetworkClient, "adsecurity": AdsecurityClient}
SETTINGS = frozenset(
    ("api_key", "base_url", "timeout", "retry", "extra_headers", "proxy", "verify", "routes", "max_response_bytes",
     "min_bytes_per_minute")
)  # fmt: skip
"""What a client can be told that also works in another process."""


@attrs.frozen
class Connection:
    """Travels to the executors within the serialized reader. Its repr shows nothing, since it holds the key."""

    surface: str
    settings: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)

    @classmethod
    def of(cls, surface: str, settings: Mapping[str, Any]) -> Connection:
        """A connection whose settings were checked. Raises ConfigurationError, TypeError."""
        unknown = sorted(set(settings) - SETTINGS)
        if unknown:
            raise TypeError(f"{surface}: {', '.join(unknown)} cannot be set here; known: {', '.join(sorted(SETTINGS))}")
        connection = cls(surface, dict(settings))
        try:
            pickle.dumps(connection)
        except Exception as error:
            # The error's own text may show the settings.
            kind = type(error).__name__
            raise TypeError(f"{surface}: its settings cannot be sent to other processes ({kind})") from None
        return connection

    def with_environment(self, surface: Surface) -> Connection:
        """The same, with what the variables of this process say where nothing was given."""
        settings = dict(self.settings)
        found = {name: os.environ.get(f"{surface.env_prefix}_{name.upper()}") for name in ("api_key", "base_url")}
        # The documented address too: the variables of an executor must not send the key elsewhere.
        found["base_url"] = found["base_url"] or surface.default_base_url
        for name, value in found.items():
            if settings.get(name) is None and value:
                settings[name] = value
        return Connection(self.surface, settings)

    @property
    def key(self) -> str:
        """The key, empty where there is none."""
        return str(self.settings.get("api_key") or "").strip()

    def open(self, pace: Pace | None = None) -> Any:
        """A client. Raises ConfigurationError."""
        if not self.key:
            # Said here, since the variables of a Spark cluster are set in more than one place.
            raise ConfigurationError(
                f"there is no key for the {self.surface} API: pass it on the driver,"
                f" adsecurity.spark.register(spark, {self.surface}={{'api_key': …}}), or set its variable before the"
                " Spark session is made"
            )
        return CLIENTS[self.surface](**self.settings, on_request=pace)


class Pace:
    """Holds each request until its turn: one in `interval` seconds, the first as well.

    The first waits because another task may have sent its last request in this place a moment ago.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._next = time.monotonic() + interval
        self._stopped = threading.Event()

    def __call__(self, event: object) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval
        self._stopped.wait(turn - now)

    def stop(self) -> None:
        """Nobody waits any longer: a client that is closed would wait for them."""
        self._stopped.set()
