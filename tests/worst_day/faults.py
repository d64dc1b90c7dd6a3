"""The faults of the drills, and what must come of each."""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable

import attrs

from tests.worst_day import hosts
from tests.worst_day.hosts import Act, Answer, World

WHOLE, ERROR, EITHER = "whole", "error", "either"
FILES_ALONE = "only files are signed"
NO_JSON = "a file is not JSON: its length and rows are checked"


@attrs.frozen
class Fault:
    """What goes wrong, once and for ever; what must come of it: all rows, one of our errors, or either."""

    name: str
    break_down: Callable[[World, str, float], str]
    """Breaks the host of a job for so many requests; gives the address that the client is made for."""
    once: str = WHOLE
    for_ever: str = ERROR
    not_for: dict[str, str] = attrs.field(factory=dict)
    """Hosts for which it makes no sense, and why."""


def acting(act: Act, *, at_once: bool = False) -> Callable[[World, str, float], str]:
    def break_down(world: World, host: str, times: float) -> str:
        # In the middle of a list; of a file there is one request.
        getattr(world, host).break_down(act, times, skip=2 if host == "api" and not at_once else 0, at_once=at_once)
        return world.api.url

    return break_down


def addressed(url: Callable[[World], str]) -> Callable[[World, str, float], str]:
    def break_down(world: World, host: str, times: float) -> str:
        if host == "api":
            return url(world)
        world.target = url(world)
        return world.api.url

    return break_down


def _closed_port(world: World) -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _redirected(world: World, host: str, times: float) -> str:
    act = hosts.say(302, location=f"{world.other.url}/clicks.csv")
    return acting(act)(world, host, times)


def _changing(world: World, host: str, times: float) -> str:
    def act(connection: socket.socket, answer: Answer, over: threading.Event) -> bool:
        again = hosts.truncate(connection, answer, over)
        world.version += 1
        return again

    return acting(act)(world, host, times)


ADDRESS = {"once": ERROR}
FAULTS = (
    Fault("refused", addressed(_closed_port), **ADDRESS),
    Fault("reset before the request", acting(hosts.reset, at_once=True)),
    Fault("reset after the request", acting(hosts.reset)),
    Fault("stalled headers", acting(hosts.stall_headers)),
    Fault("stalled body", acting(hosts.stall_body)),
    Fault("truncated", acting(hosts.truncate)),
    Fault("length too large", acting(hosts.claim_more)),
    Fault("length too small", acting(hosts.claim_less), once=EITHER),
    Fault("bad gzip", acting(hosts.bad_gzip), once=EITHER),
    Fault("bad JSON", acting(hosts.say(200, b'{"data": [')), once=ERROR, not_for={"storage": NO_JSON}),
    Fault("HTML with 200", acting(hosts.say(200, b"<html>Welcome</html>", content_type="text/html")), once=EITHER),
    Fault("429 with Retry-After", acting(hosts.say(429, retry_after="1"))),
    Fault("429 without", acting(hosts.say(429))),
    *(Fault(f"status {status}", acting(hosts.say(status))) for status in (500, 502, 503, 504, 520, 599)),
    Fault("1xx without end", acting(hosts.flood), once=EITHER),
    Fault("drip", acting(hosts.drip), once=EITHER),
    Fault("no such name", addressed(lambda world: "https://nowhere.invalid"), **ADDRESS),
    Fault(
        "TLS fails",
        addressed(lambda world: world.other.url.replace("http://127.0.0.1", "https://127.0.0.1")),
        **ADDRESS,
    ),
    Fault("expired URL", acting(hosts.say(403)), not_for={"api": FILES_ALONE}),
    Fault("redirect elsewhere", _redirected, once=EITHER, for_ever=EITHER),
    Fault("redirect to http", acting(hosts.say(302, location="http://far.invalid/x")), once=ERROR),
    Fault("file that changes", _changing, not_for={"api": "lists have no versions"}),
)
FOR_EVER = math.inf
