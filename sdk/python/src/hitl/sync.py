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
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from hitl import forks
from hitl.error import Invalid

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")
Reply = TypeVar("Reply")


class Call(Generic[P, R]):
    """A call that blocks until it is done; `await call.aio(...)` instead leaves the loop free.

    `function` returns what runs on our loop, and `finish` makes the result of that. Both are called
    where the call is made, so that code of the program's own holds up nobody else.
    """

    def __init__(
        self,
        function: Callable[P, Coroutine[Any, Any, Reply]],
        finish: Callable[[Reply], R],
    ) -> None:
        functools.update_wrapper(self, function)
        self._function: Callable[P, Coroutine[Any, Any, Any]] = function
        self._finish: Callable[[Any], R] = finish

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._finish(_run(self._function(*args, **kwargs)))

    async def aio(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._finish(await _run_aio(self._function(*args, **kwargs)))


class both(Generic[S, P, R]):
    """Turns a method that returns a coroutine into a `Call`."""

    def __init__(self, function: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> None:
        self.__doc__ = function.__doc__
        self._function = function

    def __get__(self, instance: S, owner: type[S] | None = None) -> Call[P, R]:
        bound = functools.partial(self._function, instance)
        return Call(functools.update_wrapper(bound, self._function), lambda reply: reply)


def _run(coroutine: Coroutine[Any, Any, R]) -> R:
    """Runs it on our loop, and ends it there if this thread is interrupted."""
    if threading.current_thread() is _thread:
        coroutine.close()
        raise Invalid("a call that blocks would wait for itself here: use its form to await")
    future = _submit(coroutine)
    try:
        return future.result()
    except CancelledError:
        # Who still waits is a daemon thread. It stays here, lest its handlers run and complain
        # while the interpreter is taken down.
        if _stopped:
            threading.Event().wait()
        raise
    finally:
        future.cancel()


async def _run_aio(coroutine: Coroutine[Any, Any, R]) -> R:
    """Runs it on our loop, and ends it there if the caller is cancelled."""
    visit = _Visit(coroutine)
    try:
        return await visit.reply
    except asyncio.CancelledError:
        if _stopped:
            await asyncio.Event().wait()
        visit.cancel()
        raise
    finally:
        # The error that it may hold knows this frame.
        del visit


class _Visit(Generic[R]):
    """A coroutine of one loop that runs on ours.

    Tens of thousands may be open at once, and the futures that asyncio has for it are four times
    as large.
    """

    __slots__ = ("_loop", "_ours", "_task", "reply")

    def __init__(self, coroutine: Coroutine[Any, Any, R]) -> None:
        self._task: asyncio.Task[R]
        self._loop = asyncio.get_running_loop()
        self.reply: asyncio.Future[R] = self._loop.create_future()
        try:
            self._ours = _loop()
            self._ours.call_soon_threadsafe(self._begin, coroutine)
        except BaseException:
            coroutine.close()
            raise

    def cancel(self) -> None:
        """Ends it on our loop."""
        self._ours.call_soon_threadsafe(lambda: self._task.cancel())

    def _begin(self, coroutine: Coroutine[Any, Any, R]) -> None:
        self._task = self._ours.create_task(coroutine)
        self._task.add_done_callback(self._return)

    def _return(self, task: "asyncio.Task[R]") -> None:
        if not task.cancelled():
            task.exception()
        # Its loop may have been closed since.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, task)

    def _settle(self, task: "asyncio.Task[R]") -> None:
        if self.reply.done():
            return
        if task.cancelled():
            self.reply.cancel()
        elif error := task.exception():
            self.reply.set_exception(error)
        else:
            self.reply.set_result(task.result())


def _submit(coroutine: Coroutine[Any, Any, R]) -> Future[R]:
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, _loop())
    except BaseException:
        coroutine.close()
        raise


def soon(act: Callable[[], object]) -> None:
    """Has it done on our loop, if that still runs. Does not wait for it."""
    if _running is not None and not _forked and not _stopped:
        _running.call_soon_threadsafe(act)


_lock = threading.Lock()
_running: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_forked = False
_stopped = False


def _loop() -> asyncio.AbstractEventLoop:
    global _running, _thread
    if _forked:
        raise Invalid(
            "this process was forked from one that had called a server, and gRPC cannot be used in "
            "both: start processes by `spawn`, or fork before the first call"
        )
    if _stopped:
        raise Invalid(
            "the program is ending and its connections are closed: register what calls a server at "
            "exit after the first call, so that it runs before they are"
        )
    with _lock:
        if _running is None:
            loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=loop.run_forever, name="hitl", daemon=True)
            _thread.start()
            atexit.register(_stop, loop, _thread)
            _running = loop
        return _running


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """Ends what is under way, so that nothing runs while the interpreter is taken down."""
    global _stopped
    _stopped = True

    async def cancel() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        loop.stop()

    if not _forked:
        asyncio.run_coroutine_threadsafe(cancel(), loop)
        thread.join(timeout=5)


def _before_fork() -> None:
    if _running is not None:
        forks.warn()


def _after_fork() -> None:
    """The thread is not copied, nor are those of gRPC."""
    global _forked
    _forked = _running is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
