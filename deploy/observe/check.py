#!/usr/bin/env python3
"""Holds the alarms against promtool, and the names in alarms and dashboard against a server.

HITL_TEST_PROMTOOL names promtool, HITL_TEST_BIN the hitl program. Each alarm is also made to go off: its test is written
here, since what promtool compares are whole sentences.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
PROMTOOL = os.environ["HITL_TEST_PROMTOOL"]
LIMIT_S = 30

TROUBLE = {
    "HitlStoreFails": {'hitl_store_operation_duration_seconds_count{instance="a",outcome="error"}': "0+60x60"},
    "HitlStoreSlow": {
        'hitl_store_operation_duration_seconds_bucket{instance="a",operation="put",le="1"}': "0x60",
        'hitl_store_operation_duration_seconds_bucket{instance="a",operation="put",le="5"}': "0+60x60",
        'hitl_store_operation_duration_seconds_bucket{instance="a",operation="put",le="+Inf"}': "0+60x60",
    },
    "HitlClockOff": {'hitl_clock_ahead_milliseconds{instance="a"}': "-4000x60"},
    "HitlTimeoutsLate": {
        'hitl_timeout_lateness_seconds_bucket{instance="a",le="5"}': "0x60",
        'hitl_timeout_lateness_seconds_bucket{instance="a",le="60"}': "0+60x60",
        'hitl_timeout_lateness_seconds_bucket{instance="a",le="+Inf"}': "0+60x60",
    },
    "HitlDiskFull": {'hitl_disk_full{instance="a"}': "1x60"},
    "HitlDiskFillsUp": {'hitl_disk_free_bytes{instance="a"}': "100000000000-500000000x120"},
    "HitlDescriptorsShort": {
        'hitl_descriptors_open{instance="a"}': "1000x60",
        'hitl_descriptors_max{instance="a"}': "1024x60",
    },
    "HitlWaitsNearLimit": {'hitl_waits{instance="a"}': "190000x60"},
    "HitlTlsReloadFails": {'hitl_tls_reload_failing{instance="a"}': "1x60"},
    "HitlAway": {'up{instance="a",job="hitl"}': "0x60"},
}
"""What each alarm is about."""


def main() -> None:
    """Runs every check, and stops at the first that fails."""
    run(PROMTOOL, "check", "rules", HERE / "alerts.yml")
    run(PROMTOOL, "test", "rules", HERE / "alerts_test.yml")
    alarms = re.findall(r"- alert: (\w+)", (HERE / "alerts.yml").read_text())
    expect(alarms == list(TROUBLE), f"every alarm is made to go off: {alarms}")
    silent = re.findall(r"alertname: (\w+)", (HERE / "alerts_test.yml").read_text())
    expect(silent == alarms, f"and is silent when all is well: {silent}")
    for alarm in alarms:
        goes_off(alarm)
    known = names_of_server()
    dashboard = json.loads((HERE / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    expect(len(queries) >= 10, "the dashboard asks for something")
    named = set(re.findall(r"\bhitl_\w+", "\n".join([*queries, (HERE / "alerts.yml").read_text()])))
    # The descriptions name one, too.
    missing = {name for name in named if re.sub(r"_(bucket|count|sum|total)$", "", name) not in known}
    expect(not missing, f"no server has {sorted(missing)}")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        rules = [{"record": f"panel:{number}", "expr": filled(query)} for number, query in enumerate(queries)]
        json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        run(PROMTOOL, "check", "rules", file.name)
    ids = [panel["id"] for panel in dashboard["panels"]]
    expect(len(set(ids)) == len(ids), "panels have ids of their own")
    print(f"{len(alarms)} alarms and {len(queries)} queries are right")


def goes_off(alarm: str) -> None:
    """The alarm is there once its trouble has lasted."""
    series = [{"series": name, "values": values} for name, values in TROUBLE[alarm].items()]
    query = f'count(ALERTS{{alertname="{alarm}",alertstate="firing",instance="a"}})'
    expected = {
        "expr": query,
        "eval_time": "119m" if alarm == "HitlDiskFillsUp" else "45m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [expected]}
    whole = {"rule_files": [str(HERE / "alerts.yml")], "evaluation_interval": "1m", "tests": [test]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump(whole, file)
        file.flush()
        run(PROMTOOL, "test", "rules", file.name)


def names_of_server() -> set[str]:
    """The metrics of a server that has had an event, and those that only one with TLS has, by its source."""
    program = os.environ["HITL_TEST_BIN"]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        env = {"PATH": "/usr/bin:/bin", "HOME": data, "HITL_DATA_DIR": data}
        command = [program, "serve", "--insecure", "--listen", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until_ready(f"http://127.0.0.1:{port}/readyz")
            ask = [program, "ask", "x", "--timeout", "1s", "--default", "y", "--endpoint", f"http://127.0.0.1:{port}"]
            subprocess.run(ask, env=env, check=True, capture_output=True, timeout=LIMIT_S)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=LIMIT_S) as reply:
                text = reply.read().decode()
        finally:
            server.kill()
            server.wait()
    source = (TOP / "server/src/net/tls/metrics.rs").read_text()
    of_tls = {f"hitl_{name}" for name in re.findall(r'register\("(\w+)"', source)}
    return set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | of_tls


def until_ready(url: str) -> None:
    """Waits until the server serves."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            expect(time.monotonic() < deadline, "the server serves")
            time.sleep(0.05)


def filled(query: str) -> str:
    """A query as Grafana sends it."""
    return query.replace("$__rate_interval", "5m").replace("$instance", ".+")


def run(*command: object) -> None:
    """Runs it, unseen unless it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    expect(done.returncode == 0, done.stdout + done.stderr)


def expect(holds: bool, what: str) -> None:
    """Ends with what is wrong."""
    if not holds:
        sys.exit(f"failed: {what}")


main()
