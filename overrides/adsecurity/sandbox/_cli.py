"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TypeVar

# First, because from here a missing extra is named.
from . import Fault, Sandbox
from ._faults import parse_fault, parse_latency
from ._options import N, checked, checked_key
from ._sandbox import DEFAULT_KEY, DEFAULT_ROWS
from ._spec import SpecError

T = TypeVar("T")


def _argument(parse: Callable[[str], T]) -> Callable[[str], T]:
    """argparse shows why a value is wrong only when the error is its own."""

    def wrapped(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return wrapped


def _number(option: str, read: Callable[[str], N]) -> Callable[[str], N]:
    def parse(text: str) -> N:
        try:
            number = read(text)
        except ValueError:
            raise ValueError(f"{text!r} is no {'whole ' if read is int else ''}number") from None
        return checked(option, number)

    return _argument(parse)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m adsecurity.sandbox",
        description="Serves both APIs on 127.0.0.1 from their specs, with invented data. For trying and testing only.",
    )
    made.add_argument(
        "--port", type=_number("port", int), default=0, help="port of the network API; the others are free ports"
    )
    made.add_argument("--db", metavar="FILE", help="SQLite file to keep the data in; without it, memory")
    made.add_argument(
        "--api-key",
        type=_argument(checked_key),
        default=DEFAULT_KEY,
        help="the key to accept (default: %(default)s)",
    )
    made.add_argument("--seed", type=int, default=1, help="another number makes another network")
    made.add_argument(
        "--rows", type=_number("rows", int), default=DEFAULT_ROWS, help="clicks in the week (default: %(default)s)"
    )
    made.add_argument("--latency", type=_argument(parse_latency), default=0, help="added to each answer: 20ms")
    made.add_argument(
        "--fault",
        type=_argument(parse_fault),
        action="append",
        default=list[Fault](),
        help="a status or 'drop' with its probability: 503:0.05",
    )
    made.add_argument(
        "--rate-limit",
        type=_number("rate_limit", int),
        default=0,
        metavar="N",
        help="requests a second; 0 is no limit",
    )
    made.add_argument(
        "--export-seconds", type=_number("export_seconds", float), default=2.0, help="how long an export takes"
    )
    made.add_argument(
        "--url-seconds", type=_number("url_seconds", float), default=60.0, help="how long a signed URL is valid"
    )
    made.add_argument("--spec-dir", metavar="DIR", help="other specs to serve: network.yaml and adsecurity.yaml")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    sandbox = Sandbox(
        port=options.port,
        db=options.db,
        api_key=options.api_key,
        seed=options.seed,
        rows=options.rows,
        latency=options.latency,
        faults=options.fault,
        storage_faults=[fault for fault in options.fault if fault.kind == "drop"],
        rate_limit=options.rate_limit,
        export_seconds=options.export_seconds,
        url_seconds=options.url_seconds,
        spec_dir=options.spec_dir,
    )
    interrupted = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        sandbox.start()
    except (OSError, SpecError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"network {sandbox.network_url}  adsecurity {sandbox.adsecurity_url}  storage {sandbox.storage_url}",
        flush=True,
    )
    interrupted.wait()
    sandbox.stop()
    return 0
