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

# This import comes before those of the room's modules, because it is the one that reports a missing extra by name.
from . import Fault, Sandbox
from ._faults import parse_fault, parse_latency
from ._options import Number, check_api_key, check_number, check_today
from ._sandbox import DEFAULT_KEY, DEFAULT_ROWS
from ._spec import SpecError

Value = TypeVar("Value")


def _argument_type(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """`parse` for argparse, which shows the message of its own error class only."""

    def parse_argument(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument


def _number_type(option: str, number_class: Callable[[str], Number]) -> Callable[[str], Number]:
    def parse(text: str) -> Number:
        try:
            number = number_class(text)
        except ValueError:
            kind = "whole number" if number_class is int else "number"
            raise ValueError(f"{text!r} is no {kind}") from None
        return check_number(option, number)

    return _argument_type(parse)


def create_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adsecurity.sandbox",
        description="Serves both APIs on 127.0.0.1 from their specs, with invented data. For trying and testing only.",
    )
    parser.add_argument(
        "--port", type=_number_type("port", int), default=0, help="port of the network API; the others are free ports"
    )
    parser.add_argument("--db", metavar="FILE", help="SQLite file to keep the data in; without it, memory")
    parser.add_argument(
        "--api-key",
        type=_argument_type(check_api_key),
        default=DEFAULT_KEY,
        help="the key to accept (default: %(default)s)",
    )
    parser.add_argument(
        "--today",
        type=_argument_type(check_today),
        metavar="YYYY-MM-DD",
        help="the rows are those of the seven days before it (default: the current day in UTC)",
    )
    parser.add_argument("--seed", type=int, default=1, help="another number makes another network")
    parser.add_argument(
        "--rows",
        type=_number_type("rows", int),
        default=DEFAULT_ROWS,
        help="clicks in the week (default: %(default)s)",
    )
    parser.add_argument("--latency", type=_argument_type(parse_latency), default=0, help="added to each answer: 20ms")
    parser.add_argument(
        "--fault",
        type=_argument_type(parse_fault),
        action="append",
        default=list[Fault](),
        help="a status or 'drop' with its probability: 503:0.05",
    )
    parser.add_argument(
        "--rate-limit",
        type=_number_type("rate_limit", int),
        default=0,
        metavar="N",
        help="requests a second; 0 is no limit",
    )
    parser.add_argument(
        "--export-seconds", type=_number_type("export_seconds", float), default=2.0, help="how long an export takes"
    )
    parser.add_argument(
        "--url-seconds", type=_number_type("url_seconds", float), default=60.0, help="how long a signed URL is valid"
    )
    parser.add_argument("--spec-dir", metavar="DIR", help="other specs to serve: network.yaml and adsecurity.yaml")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = create_parser().parse_args(arguments)
    sandbox = Sandbox(
        port=options.port,
        db=options.db,
        api_key=options.api_key,
        seed=options.seed,
        today=options.today,
        rows=options.rows,
        latency=options.latency,
        faults=options.fault,
        storage_faults=[fault for fault in options.fault if fault.kind == "drop"],
        rate_limit=options.rate_limit,
        export_seconds=options.export_seconds,
        url_seconds=options.url_seconds,
        # Nothing reads the log of a sandbox that runs as a command.
        request_log=0,
        spec_dir=options.spec_dir,
    )
    interrupted = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        sandbox.start()
    except (OSError, SpecError, ValueError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"network {sandbox.network_url}  adsecurity {sandbox.adsecurity_url}  storage {sandbox.storage_url}",
        flush=True,
    )
    interrupted.wait()
    sandbox.stop()
    return 0
