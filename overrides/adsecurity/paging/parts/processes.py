"""Several processes that write the files of a plan, and the one that waits for them.

Not by `multiprocessing`: its processes run the caller's script again, so it would have to be written for that.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from ...errors import AdsecurityError, ConfigurationError
from ...flow.steps import BlockingCall, Flow, Step
from .plan import Part

if TYPE_CHECKING:
    from ...http.session import Session

_BOOTSTRAP = """
import importlib, pickle, sys
sys.path[:], name = pickle.load(sys.stdin.buffer)
importlib.import_module(name).main()
"""
_WORKER = f"{__name__.rpartition('.')[0]}.worker"
_LOOKS = 0.2
"""Seconds after which it is looked whether the caller still waits."""


def pickled_work(
    session: Session[Any], operation: str, args: Mapping[str, Any], options: Mapping[str, Any], on_page: object
) -> bytes:
    """The call and its client for another process; ConfigurationError names what cannot get there."""
    config, settings = session.config, session.pool.settings
    label = config.label
    client = {
        "base_url": config.base_url,
        "label": label,
        "timeout": config.timeout,
        "retry": config.retry,
        "extra_headers": {**config.extra_headers},
        "routes": {**config.routes},
    }
    pool = {
        "max_connections": settings.max_connections,
        "proxy": settings.proxy,
        "max_response_bytes": settings.max_response_bytes,
        "min_bytes_per_minute": settings.min_bytes_per_minute,
    }
    verify = settings.certificates.verify
    brought = {"http_client": settings.http_client, "transport": settings.transport, "on_page": on_page}
    stays = [name for name, value in brought.items() if value is not None] + config.hooks.given
    for name, value in {**client, **pool, "verify": verify, **args, **options}.items():
        try:
            pickle.dumps(value)
        except Exception:
            stays.append(name)
    if stays:
        raise ConfigurationError(
            f"{label}: {', '.join(dict.fromkeys(stays))} cannot be sent to another process: use processes=1, or a"
            " client and a call without"
        )
    from .worker import Work

    key = config.key.reveal()
    return pickle.dumps(Work(config.surface.package, operation, client, pool, verify, key, {**args}, {**options}))


class Processes:
    """So many processes, each with a thread here that tells it what to write and waits for it."""

    def __init__(self, work: bytes, parts: Sequence[Part], count: int, operation: str) -> None:
        self._work, self._operation = work, operation
        self._left = deque(parts)
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._failure: Exception | None = None
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._serve, name="adsecurity-process", daemon=True)
            for _ in range(min(count, len(parts)))
        ]

    def writing(self) -> Flow[Step, None]:
        """Write all files; raises the first error, when all processes have ended."""
        try:
            for thread in self._threads:
                thread.start()
            for thread in self._threads:
                while thread.is_alive():
                    yield BlockingCall(partial(thread.join, _LOOKS))
        finally:
            self._stop()
            for thread in self._threads:
                if thread.ident is not None:
                    thread.join()
        if self._failure is not None:
            raise self._failure

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    def _serve(self) -> None:
        try:
            with self._begin() as process:
                orders, answers = cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
                pickle.dump((sys.path, _WORKER), orders)
                orders.write(self._work)
                while (part := self._next()) is not None:
                    self._write(part, process, orders, answers)
                pickle.dump(None, orders)
                orders.flush()
        except Exception as error:
            with self._lock:
                self._failure = self._failure or error
            self._stop()

    def _begin(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise AdsecurityError(f"{self._operation}: given up")
            process = subprocess.Popen(
                [sys.executable, "-c", _BOOTSTRAP], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._running.append(process)
        return process

    def _next(self) -> Part | None:
        with self._lock:
            return self._left.popleft() if self._left and not self._stopped else None

    def _write(self, part: Part, process: subprocess.Popen[bytes], orders: IO[bytes], answers: IO[bytes]) -> None:
        try:
            pickle.dump((dict(part.span), str(part.file)), orders)
            orders.flush()
            outcome: Exception | None = pickle.load(answers)
        except (EOFError, OSError, pickle.UnpicklingError):
            process.kill()
            outcome = AdsecurityError(
                f"{self._operation}: the process that read {part} has ended ({process.wait()}); call again to go on:"
                " files that are finished are kept"
            )
        if outcome is not None:
            with part.named_in_errors():
                raise outcome
