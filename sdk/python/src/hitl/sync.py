"""Every call in two forms: one that blocks, and `.aio` to await.

All connections live on one event loop, on a thread of its own. So calls may come from any thread,
from inside or outside other event loops, and still share a connection.
"""

import asyncio
import atexit
import functools
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from hitl.error import Invalid

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class Call(Generic[P, R]):
    """A call that blocks until it is done; `await call.aio(...)` instead leaves the loop free."""

    def __init__(self, function: Callable[P, Coroutine[Any, Any, R]]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return run(self._function(*args, **kwargs))

    async def aio(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return await run_aio(self._function(*args, **kwargs))


class both(Generic[S, P, R]):
    """Turns a coroutine method into a `Call`."""

    def __init__(self, function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self.__doc__ = function.__doc__
        self._function = function

    def __get__(self, instance: S, owner: type[S] | None = None) -> Call[P, R]:
        bound = functools.partial(self._function, instance)
        return Call(functools.update_wrapper(bound, self._function))


def run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Runs it on our loop, and ends it there if this thread is interrupted."""
    future = _submit(coroutine)
    try:
        return future.result()
    finally:
        future.cancel()


async def run_aio(coroutine: Coroutine[Any, Any, R]) -> R:
    """Runs it on our loop, and ends it there if the caller is cancelled."""
    return await asyncio.wrap_future(_submit(coroutine))


def _submit(coroutine: Coroutine[Any, Any, R]) -> Future[R]:
    if _forked:
        coroutine.close()
        raise Invalid(
            "this process was forked from one that had called a server, and gRPC cannot be used in "
            "both: start processes by `spawn`, or fork before the first call"
        )
    return asyncio.run_coroutine_threadsafe(coroutine, _loop())


_lock = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None
_forked = False


def _loop() -> asyncio.AbstractEventLoop:
    global _running
    with _lock:
        if _running is None:
            _running = asyncio.new_event_loop()
            thread = threading.Thread(target=_running.run_forever, name="hitl", daemon=True)
            thread.start()
            atexit.register(_stop, _running, thread)
        return _running


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """Ends what is under way, so that nothing runs while the interpreter is taken down."""

    async def cancel() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop.stop()

    if not _forked:
        asyncio.run_coroutine_threadsafe(cancel(), loop)
        thread.join(timeout=5)


def _after_fork() -> None:
    """The thread is not copied, nor are those of gRPC."""
    global _forked
    _forked = _running is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
