"""What a forked child says when it goes on with something of its parent's."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def in_child(go_on: Callable[[], object]) -> str:
    """What `go_on` returns or raises in a forked child, as text."""
    return forked(lambda fork: go_on() if fork() else None)[0]


def forked(run: Callable[[Callable[[], bool]], T]) -> tuple[str, T]:
    """What `run` returns or raises in a forked child, as text, and what it returns in the parent.

    It is passed the function that forks when it is first called, and tells whether this is the child then. The parent
    goes on when the child is over.
    """
    reading, writing = os.pipe()
    children: list[int] = []

    def fork() -> bool:
        if children:
            return False
        children.append(os.fork())
        if children[0]:
            _wait(children[0])
        return not children[0]

    outcome: Any = None
    try:
        outcome = run(fork)
        said = repr(outcome)
    except BaseException as error:
        if children != [0]:
            raise
        said = f"{type(error).__name__}: {error}"
    finally:
        if children == [0]:
            gc.collect()
            os.write(writing, said.encode())
            os._exit(0)
        os.close(writing)
    assert children
    with os.fdopen(reading) as pipe:
        return pipe.read(), outcome


def _wait(child: int) -> None:
    deadline = time.monotonic() + 10
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
