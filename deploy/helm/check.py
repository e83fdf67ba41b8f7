"""Lints the chart, and shows that what it makes by default is what deploy/kubernetes has.

HITL_TEST_HELM names helm, and HITL_TEST_KUBERNETES_VALIDATE the program that knows the schemas of Kubernetes, which
brings the parser of YAML along too.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHART = HERE / "hitl"
HELM = os.environ["HITL_TEST_HELM"]
VALIDATE = Path(os.environ["HITL_TEST_KUBERNETES_VALIDATE"])
VERSIONS = ("1.32", "1.37")

OTHERS = {
    "replicas": 5,
    "image": {"repository": "example.org/hitl", "tag": "1.2.3"},
    "store": "az://container/hitl",
    "env": {"AZURE_STORAGE_ACCOUNT_NAME": "a", "HITL_RETAIN": "90d"},
    "arguments": ["--known-host=hitl.example.org"],
    "podLabels": {"azure.workload.identity/use": "true"},
    "serviceAccount": {"annotations": {}},
    "callers": {"team": "a"},
}
"""Other values for everything that is not a number."""

WRONG = [{"store": "/var/lib/hitl"}, {"publicUrl": "hitl.example.org"}, {"replicas": 0}, {"replica": 3}]
"""Values that are refused."""


def main() -> None:
    """Runs every check, and stops at the first that fails."""
    run(HELM, "lint", "--strict", "--kube-version", VERSIONS[0], CHART)
    by_default = rendered()
    manifests = "---\n".join(file.read_text() for file in sorted((HERE.parent / "kubernetes").iterdir()))
    expect(resources(by_default) == resources(manifests), "the chart makes what deploy/kubernetes has")
    with_others = rendered(OTHERS)
    for word in (
        "replicas: 5",
        "example.org/hitl:1.2.3",
        "az://container/hitl",
        "--known-host=hitl.example.org",
        "team: a",
    ):
        expect(word in with_others, f"{word} arrives")
    for text in (by_default, with_others):
        for version in VERSIONS:
            validate(text, version)
    for values in WRONG:
        refused = template(values)
        expect(refused.returncode != 0 and "values don't meet" in refused.stderr, f"{values} is refused")
    print("the chart is right")


def rendered(values: object = ()) -> str:
    """What the chart makes of these values."""
    done = template(values)
    expect(done.returncode == 0, done.stderr)
    return done.stdout


def template(values: object) -> "subprocess.CompletedProcess[str]":
    """Renders it with these values."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values or {}, file)
        file.flush()
        command = [HELM, "template", "hitl", CHART, "--kube-version", VERSIONS[0], "--values", file.name]
        return subprocess.run(command, capture_output=True, text=True)


def resources(text: str) -> object:
    """What the YAML says, by kind and name."""
    script = (
        "import json, sys, yaml; "
        "found = [one for one in yaml.safe_load_all(sys.stdin) if one]; "
        "print(json.dumps({one['kind'] + '/' + one['metadata']['name']: one for one in found}, sort_keys=True))"
    )
    python = VALIDATE.with_name("python")
    done = subprocess.run([python, "-c", script], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def validate(text: str, version: str) -> None:
    """Holds it against the schemas of a version of Kubernetes."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        run(VALIDATE, "--strict", "--kubernetes-version", version, file.name)


def run(*command: object) -> None:
    """Runs it, unseen unless it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    expect(done.returncode == 0 and "WARN" not in done.stdout + done.stderr, done.stdout + done.stderr)


def expect(holds: bool, what: str) -> None:
    """Ends with what is wrong."""
    if not holds:
        sys.exit(f"failed: {what}")


main()
