"""Processes that are forked while a wait is open, and never call us."""

import os
import subprocess
import sys
from pathlib import Path

SOURCE = str(Path(__file__).parent.parent / "src")

WAITING = """
import hitl, multiprocessing, os, sys, threading, time

event = hitl.new_event("n", int)
values = []
waiting = threading.Thread(target=lambda: values.append(event.wait()), daemon=True)
waiting.start()
assert event.wait_for(0.2) is None

def ended(process):
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return status
        time.sleep(0.01)
    os.kill(process, 9)
    os.waitpid(process, 0)
    return "hung"
"""

FORKS = """
for end in [os._exit, sys.exit] * 10:
    if not (process := os.fork()):
        # Long enough for what threads there are to meddle with the connection.
        time.sleep(0.05)
        end(0)
    assert (status := ended(process)) == 0, status
context = multiprocessing.get_context("fork")
with context.Pool(2) as pool:
    assert pool.map(abs, range(-3, 3)) == [3, 2, 1, 0, 1, 2]
# Nothing was taken from the wait meanwhile.
event.client.answer(event.id, 7)
waiting.join(10)
print(values)
"""

ONE_FORK = """
if not (process := os.fork()):
    os._exit(0)
ended(process)
os._exit(0)
"""


def run(script: str, **switch: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if "FORK" not in name}
    environment |= {"PYTHONPATH": SOURCE, "HITL_ANNOUNCE": "0", **switch}
    command = [sys.executable, "-W", "always::RuntimeWarning", "-c", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_forked_processes_live_while_a_wait_is_open(local: int) -> None:
    ended = run(WAITING + FORKS)
    assert (ended.stdout, ended.stderr) == ("[7]\n", "")


def test_a_switch_that_was_set_is_left_and_one_that_was_not_is_not_passed_on() -> None:
    script = "import hitl, os; print(os.environ.get('GRPC_ENABLE_FORK_SUPPORT'))"
    assert run(script).stdout == "None\n"
    assert run(script, GRPC_ENABLE_FORK_SUPPORT="1").stdout == "1\n"


def test_where_grpc_was_imported_before_a_fork_is_warned_of(local: int) -> None:
    script = "import grpc\n" + WAITING + ONE_FORK
    assert "RuntimeWarning: this process is forked while gRPC" in run(script).stderr
    assert "RuntimeWarning" not in run(script, GRPC_ENABLE_FORK_SUPPORT="0").stderr


def test_a_process_forked_before_the_first_call_can_call(local: int) -> None:
    script = """
import hitl, os
if not os.fork():
    print(hitl.Client().list().events, flush=True)
    os._exit(0)
os.wait()
print(hitl.Client().list().events)
"""
    assert run(script).stdout == "[]\n[]\n"
