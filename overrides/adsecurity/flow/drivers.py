"""Drivers: they run flows to their end, blocking or awaiting.

A driver performs each step that the flow yields and sends the outcome back into it: a value, or an error by `throw`.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from .loop import running_loop
from .steps import BlockingCall, Call, Chunk, Flow, Sleep, Step

S = TypeVar("S")
R = TypeVar("R")


def drive(flow: Flow[S, R], perform: Callable[[S], object]) -> R:
    """Run a flow to its end and return its result; `perform` performs each step."""
    try:
        step = next(flow)
        while True:
            step = _next_step(flow, perform, step)()
    except StopIteration as end:
        # Nothing is called here: an interrupt in between would lose the result.
        result: R = end.value
        return result
    except BaseException:
        flow.close()
        raise


async def drive_async(flow: Flow[S, R], perform: Callable[[S], Awaitable[object]]) -> R:
    """As `drive`, awaited."""
    try:
        step = next(flow)
        while True:
            step = (await _next_step_async(flow, perform, step))()
    except StopIteration as end:
        result: R = end.value
        return result
    finally:
        flow.close()


def _next_step(flow: Flow[S, R], perform: Callable[[S], object], step: S) -> Callable[[], S]:
    """Perform a step; the returned function passes its outcome to the flow, outside this except block."""
    try:
        outcome = perform(step)
    except Exception as error:
        return partial(flow.throw, error)
    return partial(flow.send, outcome)


async def _next_step_async(flow: Flow[S, R], perform: Callable[[S], Awaitable[object]], step: S) -> Callable[[], S]:
    try:
        outcome = await perform(step)
    except Exception as error:
        return partial(flow.throw, error)
    return partial(flow.send, outcome)


def perform(step: Step) -> object:
    """Perform one step, blocking."""
    if isinstance(step, Sleep):
        time.sleep(step.seconds)
    elif isinstance(step, Call | BlockingCall):
        return step.call()
    return None


async def perform_async(step: Step) -> object:
    """Perform one step on the running event loop."""
    if isinstance(step, Sleep):
        running_loop()
        from asyncio import sleep

        await sleep(step.seconds)
    elif isinstance(step, BlockingCall):
        return await _in_thread(step.call)
    elif isinstance(step, Call):
        outcome = step.call()
        return await outcome if inspect.isawaitable(outcome) else outcome
    return None


def stream(flow: Flow[Step, None]) -> Iterator[bytes]:
    """Run a flow and yield its chunks."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Chunk):
                yield step.data
                step = flow.send(None)
            else:
                step = _next_step(flow, perform, step)()
    except StopIteration:
        return
    finally:
        flow.close()


async def stream_async(flow: Flow[Step, None]) -> AsyncGenerator[bytes, None]:
    """As `stream`, awaited."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, Chunk):
                yield step.data
                step = flow.send(None)
            else:
                step = (await _next_step_async(flow, perform_async, step))()
    except StopIteration:
        return
    finally:
        flow.close()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Run blocking work in a thread. A cancelled call waits for the thread, which may still be writing to a file."""
    # Imported here: sync clients never need it, and the import takes longer than a first request.
    import asyncio

    future = running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise
