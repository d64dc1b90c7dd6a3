"""The drivers of every flow: a flow is a generator that says what to do, a driver is who does it.

A flow is written once, for sync and async; what it yields is performed, and the outcome (a value or an error) is
handed back to it.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from .steps import BlockingCall, Call, Chunk, Flow, Sleep, Step

S = TypeVar("S")
R = TypeVar("R")


def drive(flow: Flow[S, R], perform: Callable[[S], object]) -> R:
    """Run a flow to its end; `perform` does each of its steps."""
    try:
        step = next(flow)
        while True:
            step = _after(flow, perform, step)()
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        flow.close()


async def drive_async(flow: Flow[S, R], perform: Callable[[S], Awaitable[object]]) -> R:
    """As `drive`."""
    try:
        step = next(flow)
        while True:
            step = (await _aafter(flow, perform, step))()
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        flow.close()


def _after(flow: Flow[S, R], perform: Callable[[S], object], step: S) -> Callable[[], S]:
    try:
        outcome = perform(step)
    except Exception as error:
        return partial(flow.throw, error)
    return partial(flow.send, outcome)


async def _aafter(flow: Flow[S, R], perform: Callable[[S], Awaitable[object]], step: S) -> Callable[[], S]:
    try:
        outcome = await perform(step)
    except Exception as error:
        return partial(flow.throw, error)
    return partial(flow.send, outcome)


def perform(step: Step) -> object:
    """Do one step, blocking."""
    if isinstance(step, Sleep):
        time.sleep(step.seconds)
    elif isinstance(step, Call | BlockingCall):
        return step.call()
    return None


async def perform_async(step: Step) -> object:
    """Do one step on the running loop."""
    if isinstance(step, Sleep):
        from asyncio import sleep

        await sleep(step.seconds)
    elif isinstance(step, BlockingCall):
        return await _in_thread(step.call)
    elif isinstance(step, Call):
        outcome = step.call()
        return await outcome if inspect.isawaitable(outcome) else outcome
    return None


def stream(flow: Flow[Step, None]) -> Iterator[bytes]:
    """Run a flow and give its chunks."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Chunk):
                yield step.data
                step = flow.send(None)
            else:
                step = _after(flow, perform, step)()
    except StopIteration:
        return
    finally:
        flow.close()


async def stream_async(flow: Flow[Step, None]) -> AsyncGenerator[bytes, None]:
    """As `stream`."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Chunk):
                yield step.data
                step = flow.send(None)
            else:
                step = (await _aafter(flow, perform_async, step))()
    except StopIteration:
        return
    finally:
        flow.close()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Run blocking work in a thread. Cancelling waits for its end: nobody may still write to a file that is closed."""
    # Not at the top: whoever blocks does without it, and it takes longer to import than the first request.
    import asyncio

    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
