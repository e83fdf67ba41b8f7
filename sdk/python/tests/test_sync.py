import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripted import serving

import hitl
from hitl import v1
from hitl.sync import Call

SOURCE = str(Path(__file__).parent.parent / "src")


async def double(number: int) -> int:
    """Twice as much."""
    return 2 * number


def run(script: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-X", "dev", "-c", script]
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)


def test_a_call_is_documented_as_its_function_is() -> None:
    call = Call(double, str)
    assert call(21) == "42"
    assert (call.__doc__, call.__name__) == ("Twice as much.", "double")  # type: ignore[attr-defined]


def test_a_process_ends_quietly_with_waits_under_way() -> None:
    script = """
import asyncio, atexit, threading, time
from hitl.sync import Call
# There is time to complain after our own end.
atexit.register(time.sleep, 0.5)
waiting = threading.Barrier(3)
async def wait():
    asyncio.get_running_loop().run_in_executor(None, waiting.wait)
    await asyncio.Event().wait()
call = Call(wait, str)
threading.Thread(target=call, daemon=True).start()
threading.Thread(target=lambda: asyncio.run(call.aio()), daemon=True).start()
waiting.wait()
print("done")
"""
    ended = run(script)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_a_call_when_the_program_has_ended_is_refused() -> None:
    script = """
import atexit
from hitl.sync import Call
async def nothing(): pass
def late():
    try:
        Call(nothing, str)()
    except Exception as error:
        print(type(error).__name__, error)
atexit.register(late)
Call(nothing, str)()
"""
    ended = run(script)
    assert ended.stdout.startswith("Invalid the program is ending")
    assert ended.stderr == ""


def test_code_of_the_program_runs_where_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may take its time, and make calls of its own."""

    @dataclass
    class Checked:
        n: int

        def __post_init__(self) -> None:
            threads.append(threading.current_thread())
            client.get("e")

    threads: list[threading.Thread] = []
    value = v1.Value(object=v1.ObjectValue(fields={"n": v1.Value(int=1)}))
    answered = v1.Event(
        id="e",
        state=v1.EVENT_STATE_ANSWERED,
        input=v1.Input(object=v1.ObjectInput()),
        response=v1.Response(value=value),
    )
    final = [v1.WaitEventsResponse(event=answered)]
    with serving([], final, [], final, [], final) as (client, _):
        event = client.event("n", Checked, idempotency_key="e")
        assert event.wait() == event.wait_for(9) == asyncio.run(event.wait.aio()) == Checked(1)
    assert set(threads) == {threading.current_thread()}


def test_a_call_that_blocks_is_refused_where_it_would_wait_for_itself() -> None:
    async def nested() -> str:
        return Call(double, str)(1)

    with pytest.raises(hitl.Invalid, match="use its form to await"):
        Call(nested, str)()


def test_an_interrupt_ends_a_blocking_call() -> None:
    script = """
import asyncio, os, signal, threading
# Whoever starts the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from hitl.sync import Call
cancelled = threading.Event()
async def wait():
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    finally:
        cancelled.set()
try:
    Call(wait, str)()
except KeyboardInterrupt:
    print(cancelled.wait(10))
"""
    assert run(script).stdout == "True\n"


def test_a_forked_process_is_told_why_it_cannot_call() -> None:
    script = """
import hitl, os
from hitl.sync import Call
async def nothing(): pass
Call(nothing, str)()
if os.fork() == 0:
    try:
        hitl.Client().get("e")
    except hitl.Invalid as error:
        print("spawn" in str(error), flush=True)
    os._exit(0)
os.wait()
"""
    assert run(script).stdout == "True\n"
