import os
import subprocess
import sys
from pathlib import Path

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
    call = Call(double)
    assert call(21) == 42
    assert (call.__doc__, call.__name__) == ("Twice as much.", "double")  # type: ignore[attr-defined]


def test_a_process_ends_quietly_with_a_wait_under_way() -> None:
    script = """
import asyncio, threading
from hitl.sync import run
waits = threading.Event()
async def wait():
    waits.set()
    await asyncio.Event().wait()
threading.Thread(target=run, args=[wait()], daemon=True).start()
waits.wait()
print("done")
"""
    ended = run(script)
    assert (ended.returncode, ended.stdout) == (0, "done\n")


def test_an_interrupt_ends_a_blocking_call() -> None:
    script = """
import asyncio, os, signal, threading
# Whoever starts the tests in the background has it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from hitl.sync import run
cancelled = threading.Event()
async def wait():
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    finally:
        cancelled.set()
try:
    run(wait())
except KeyboardInterrupt:
    print(cancelled.wait(10))
"""
    assert run(script).stdout == "True\n"


def test_a_forked_process_is_told_why_it_cannot_call() -> None:
    script = """
import hitl, os
from hitl.sync import run
async def nothing(): pass
run(nothing())
if os.fork() == 0:
    try:
        hitl.Client().get("e")
    except hitl.Invalid as error:
        print("spawn" in str(error), flush=True)
    os._exit(0)
os.wait()
"""
    assert run(script).stdout == "True\n"
