"""A container image, written without a daemon.

It is an OCI layout in one tar, with the program, what that is linked with, and the authorities that TLS trusts. There
is no shell in it. `podman load -i`, `docker load -i` (25 or later) and `skopeo copy oci-archive:FILE` take it.
"""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from binary import Binary

USER = 65532
"""Who runs it: the same as in deploy/kubernetes."""

_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def build(binary: Binary, sbom: str, out: Path) -> Path:
    """One layer, its configuration, a manifest and an index."""
    layer = _layer(binary, sbom)
    packed = gzip.compress(layer, 9, mtime=0)
    config = {
        "architecture": binary.debian,
        "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/usr/bin/hitl"],
            "Cmd": ["serve", "--listen=0.0.0.0:4485"],
            "Env": ["PATH=/usr/bin", "HITL_DATA_DIR=/data", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"],
            "ExposedPorts": {"4485/tcp": {}},
            "Volumes": {"/data": {}},
            "WorkingDir": "/data",
            "Labels": {
                "org.opencontainers.image.title": "hitl",
                "org.opencontainers.image.version": binary.version,
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created_by": "cargo xtask dist"}],
    }
    written = json.dumps(config).encode()
    of = "application/vnd.oci.image"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{of}.manifest.v1+json",
            "config": _descriptor(f"{of}.config.v1+json", written),
            "layers": [_descriptor(f"{of}.layer.v1.tar+gzip", packed)],
        }
    ).encode()
    named = {
        **_descriptor(f"{of}.manifest.v1+json", manifest),
        "annotations": {
            "org.opencontainers.image.ref.name": binary.version,
            "io.containerd.image.name": f"hitl:{binary.version}",
        },
    }
    index = json.dumps({"schemaVersion": 2, "mediaType": f"{of}.index.v1+json", "manifests": [named]}).encode()
    path = out / f"hitl-{binary.version}-{binary.debian}.oci.tar"
    files = {f"blobs/sha256/{_digest(blob)[7:]}": blob for blob in (packed, written, manifest)}
    files |= {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index}
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            _add(tar, name, content, 0o644)
    return path


def _layer(binary: Binary, sbom: str) -> bytes:
    """The root: a few files, and two directories that may be written if somebody mounts something there."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for directory, mode, owner in [("data", 0o700, USER), ("tmp", 0o1777, 0)]:
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, mode, owner, owner
            tar.addfile(entry)
        _add(tar, "usr/bin/hitl", binary.path.read_bytes(), 0o755)
        for library in _libraries(binary.path):
            _add(tar, str(library).lstrip("/"), library.read_bytes(), 0o755)
        _add(tar, str(_AUTHORITIES).lstrip("/"), _AUTHORITIES.read_bytes(), 0o644)
        _add(tar, "etc/passwd", f"hitl:x:{USER}:{USER}::/data:/nowhere\n".encode(), 0o644)
        _add(tar, "etc/group", f"hitl:x:{USER}:\n".encode(), 0o644)
        _add(tar, "usr/share/hitl/hitl.cyclonedx.json", sbom.encode(), 0o644)
    return layer.getvalue()


def _libraries(program: Path) -> list[Path]:
    """What the program is linked with, and the loader, where the program looks for them."""
    words = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout.split()
    return sorted({Path(word) for word in words if word.startswith("/")})


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _descriptor(kind: str, content: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}
