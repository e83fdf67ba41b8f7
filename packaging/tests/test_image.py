"""The container image, unpacked and run as an engine would: its own root, read-only, as a user that is nobody."""

import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
from pathlib import Path

from conftest import is_ready, one, until


def test_every_blob_has_the_digest_by_which_it_is_named(made: Path) -> None:
    with tarfile.open(one(made, "*.oci.tar")) as image:
        blobs = {name: image.extractfile(name).read() for name in image.getnames() if name.startswith("blobs/")}
        index = json.load(image.extractfile("index.json"))
    for name, content in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    (manifest,) = index["manifests"]
    about = json.loads(blobs[f"blobs/sha256/{manifest['digest'][7:]}"])
    for part in [about["config"], *about["layers"]]:
        assert len(blobs[f"blobs/sha256/{part['digest'][7:]}"]) == part["size"]


def test_it_serves_under_a_read_only_root_as_nobody_and_keeps_its_data(
    made: Path, tmp_path: Path, free_port: int
) -> None:
    config = unpack(one(made, "*.oci.tar"), tmp_path / "root")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    user, group = (int(part) for part in config["User"].split(":"))
    os.chown(data, user, group)
    (data / "admin.token").write_text("0123456789abcdef" * 2)
    (data / "admin.token").chmod(0o400)
    os.chown(data / "admin.token", user, group)
    (entrypoint,) = config["Entrypoint"]
    (verb, listen) = config["Cmd"]
    listen = listen.replace("0.0.0.0:4485", f"127.0.0.1:{free_port}")
    # As an engine does it: a mount namespace, the root bound read-only, the data bound into it, and another user.
    script = (
        'mount --bind "$1" "$1" && mount --bind "$2" "$1/data" && mount -o remount,ro,bind "$1" && shift 2 && exec "$@"'
    )
    chroot = ["chroot", f"--userspec={user}:{group}", str(tmp_path / "root")]
    within = ["unshare", "--mount", "sh", "-c", script, "sh", str(tmp_path / "root"), str(data), *chroot]
    env = dict(entry.split("=", 1) for entry in config["Env"])
    command = [*within, entrypoint, verb, listen, "--admin-token-file=/data/admin.token"]
    for _ in range(2):
        # The second one finds what the first has kept.
        server = subprocess.Popen(command, env={**env, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        try:
            until(lambda server=server: is_ready(f"http://127.0.0.1:{free_port}") or server.poll() is not None)
            assert server.poll() is None, "it serves"
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert f"Uid:\t{user}\t{user}\t{user}\t{user}" in status
            root = Path(f"/proc/{server.pid}/root")
            assert not (root / "bin/sh").exists(), "there is no shell"
            mounts = Path(f"/proc/{server.pid}/mountinfo").read_text().splitlines()
            (at_root,) = [line for line in mounts if line.split()[4] in ("/", str(tmp_path / "root"))][-1:]
            assert "ro" in at_root.split()[5].split(",")
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
    assert {path.name for path in data.iterdir()} > {"admin.token"}, "the data is what is written to"


def unpack(image: Path, root: Path) -> dict:
    """Unpacks the layers, and returns the configuration."""
    with tarfile.open(image) as tar:

        def blob(digest: str) -> bytes:
            return tar.extractfile(f"blobs/sha256/{digest[7:]}").read()

        (manifest,) = json.load(tar.extractfile("index.json"))["manifests"]
        about = json.loads(blob(manifest["digest"]))
        for layer in about["layers"]:
            with tarfile.open(fileobj=io.BytesIO(blob(layer["digest"]))) as files:
                files.extractall(root, numeric_owner=True, filter="fully_trusted")
        return json.loads(blob(about["config"]["digest"]))["config"]
