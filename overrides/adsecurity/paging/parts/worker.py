"""What runs in a process of its own: it reads spans and writes their files, one after the other.

It is told what to do on its standard input and answers on its standard output, both pickled; the key comes to it in no
other way. It ends when its input does, so it does not outlive the process that began it.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import attrs

from ...codec.secrets import Secret
from ...errors import AdsecurityError
from ...http.config import Config, PoolSettings
from ...http.session import SyncSession
from ...http.tls import Certificates
from ..paginator import Paginator

Task = tuple[dict[str, str], str]
"""A span, and the file to write its rows to."""


@attrs.frozen(eq=False, repr=False)
class Work:
    """What a process needs to read any span of one call. Its texts hold the key."""

    package: str
    """The generated package of the API."""
    operation: str
    client: Mapping[str, Any]
    pool: Mapping[str, Any]
    verify: Any
    key: str
    args: Mapping[str, Any]
    options: Mapping[str, Any]


def session_of(work: Work) -> SyncSession:
    """A session like that of the client that was called."""
    surface = import_module(f"{work.package}.surface").SURFACE
    config = Config(surface, Secret(work.key), **work.client)
    return SyncSession.make(config, PoolSettings(config.label, certificates=Certificates(work.verify), **work.pool))


def main() -> None:
    """Work until there is nothing more to do."""
    # The parent decides what an interrupt ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    work: Work = pickle.load(orders)
    tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, tasks), daemon=True).start()
    session: SyncSession | None = None
    while (task := tasks.get()) is not None:
        span, file = task
        try:
            session = session or session_of(work)
            operation = session.surface.operation(work.operation)
            Paginator[Any](session, operation, {**work.args, **span}, **work.options).to_parquet(Path(file))
            outcome: Exception | None = None
        except Exception as error:
            outcome = error
        answers.write(_pickled(outcome))
        answers.flush()


def _listen(orders: IO[bytes], tasks: queue.SimpleQueue[Task | None]) -> None:
    try:
        while (task := pickle.load(orders)) is not None:
            tasks.put(task)
        # Not read on: an interpreter that ends must not find its input in use.
        tasks.put(None)
    except (EOFError, OSError):
        # Whoever waits for the rows is gone; nothing of an unfinished file is of use.
        os._exit(0)


def _pickled(outcome: Exception | None) -> bytes:
    try:
        return pickle.dumps(outcome)
    except Exception:
        return pickle.dumps(AdsecurityError(f"{type(outcome).__name__}: {outcome}"))
