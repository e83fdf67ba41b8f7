"""A wheel of the Python SDK with the program inside: what `pip install hitl-sdk` brings to this platform."""

import base64
import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

from binary import TOP, Binary

# So that the same input makes the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def build(binary: Binary, sbom: str, out: Path) -> Path:
    """Adds the program to the wheel of the SDK, and says for which platforms it is."""
    with tempfile.TemporaryDirectory() as scratch:
        sdk = TOP / "sdk/python"
        command = [sdk / ".venv/bin/python", "-m", "build", "--no-isolation", "--wheel", "--outdir", scratch, sdk]
        # Not from here, where `build` is a file of ours.
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=scratch)
        (pure,) = Path(scratch).glob("*.whl")
        return _with_program(pure, binary, sbom, out)


def _with_program(pure: Path, binary: Binary, sbom: str, out: Path) -> Path:
    distribution, version = pure.name.split("-")[:2]
    platform = f"manylinux_{binary.glibc[0]}_{binary.glibc[1]}_{binary.machine}"
    info = f"{distribution}-{version}.dist-info"
    wheel = out / f"{distribution}-{version}-py3-none-{platform}.whl"
    with zipfile.ZipFile(pure) as of, zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as to:
        files = {name: of.read(name) for name in of.namelist() if name != f"{info}/RECORD"}
        about = files[f"{info}/WHEEL"].decode()
        about = about.replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
        files[f"{info}/WHEEL"] = about.replace("py3-none-any", f"py3-none-{platform}").encode()
        files[f"{info}/sboms/hitl.cyclonedx.json"] = sbom.encode()
        files[f"{distribution}-{version}.data/scripts/hitl"] = binary.path.read_bytes()
        record = "".join(f"{name},{_digest(content)},{len(content)}\n" for name, content in files.items())
        files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if "/scripts/" in name else 0o100644) << 16
            to.writestr(entry, content)
    return wheel


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
