"""`adsecurity sandbox`: both APIs on this machine, and what to copy to use them."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

import click

from .base import CONTEXT
from .connect import variables
from .description import load
from .failures import Failure, Usage
from .settings import SURFACES


def _seconds(ctx: click.Context, param: click.Parameter, text: str) -> float:
    """`20ms`, `0.5s` or plain seconds."""
    number, scale = (text[:-2], 0.001) if text.endswith("ms") else (text.removesuffix("s"), 1)
    try:
        return float(number) * scale
    except ValueError:
        raise click.BadParameter(f"{text!r} must look like 20ms or 0.5s", ctx=ctx, param=param) from None


@click.command("sandbox", context_settings=CONTEXT)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the network API; others are free ones.")
@click.option("--db", default=None, metavar="FILE", help="SQLite file to keep the data in; without it, memory.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another number makes another network.")
@click.option("--today", default=None, metavar="DATE", help="The day before which the rows end; without it, today.")
@click.option("--rows", type=click.IntRange(0), default=2000, show_default=True, help="Clicks of the week.")
@click.option("--latency", default="0", callback=_seconds, metavar="TIME", help="Added to each answer, as in 20ms.")
@click.option("--fault", "faults", multiple=True, metavar="KIND:SHARE", help="A status or drop: 503:0.05.")
@click.option("--rate-limit", type=click.IntRange(0), default=0, metavar="N", help="Requests a second; 0 is no limit.")
@click.option("--export-seconds", type=float, default=2.0, show_default=True, help="How long an export takes.")
def command(**options: Any) -> None:
    """Run both APIs on this machine, with invented data, until Ctrl-C. Prints how to use them."""
    made = _made(options)
    stop = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        made.start()
    except OSError as error:
        raise Failure(f"the sandbox cannot start: {error.strerror or error}") from None
    try:
        print(_told(made), flush=True)
        stop.wait()
    finally:
        made.stop()


def _made(options: dict[str, Any]) -> Any:
    try:
        from ..sandbox import Sandbox

        return Sandbox(**options)
    except ModuleNotFoundError as error:
        raise Failure(str(error)) from None
    except ValueError as error:
        raise Usage(str(error)) from None


def _told(made: Any) -> str:
    """Addresses, key, ids, and lines to copy."""
    urls = {name: getattr(made, f"{name}_url") for name in SURFACES}
    lines = [
        "Both APIs are served on this machine, with invented data. Ctrl-C ends it.",
        "",
        *(f"  {name:<11} {url}" for name, url in urls.items()),
        f"  {'key':<11} {made.api_key}",
        f"  {'ids':<11} integration {made.integration_id}, organization {made.organization_id}",
        "",
        "Copy into a shell:",
        "",
    ]
    for name, url in urls.items():
        key, address = variables(load(name))
        lines += [f"  export {key}={made.api_key}", f"  export {address}={url}"]
    lines += ["", "Then:", "", f"  adsecurity network offers list {made.integration_id}", "", "Or in Python:", ""]
    lines += [
        f'  import adsecurity; {name[:3]} = adsecurity.{load(name).client}(api_key="{made.api_key}", base_url="{url}")'
        for name, url in urls.items()
    ]
    return "\n".join(lines)
