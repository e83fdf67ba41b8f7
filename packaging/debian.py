"""A Debian package: the program, its manual, what completes it in shells, and a hardened unit for systemd."""

import gzip
import shutil
import subprocess
import tempfile
from pathlib import Path

from binary import TOP, Binary

_HERE = TOP / "packaging/debian"

_SHELLS = {
    "bash": "usr/share/bash-completion/completions/hitl",
    "zsh": "usr/share/zsh/vendor-completions/_hitl",
    "fish": "usr/share/fish/vendor_completions.d/hitl.fish",
}


def build(binary: Binary, sbom: str, out: Path) -> Path:
    """Lays out the files and packs them."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "root")
        _put(root / "usr/bin/hitl", binary.path.read_bytes(), 0o755)
        _put(root / "lib/systemd/system/hitl.service", (_HERE / "hitl.service").read_bytes())
        _put(root / "etc/hitl/hitl.env", (_HERE / "hitl.env").read_bytes())
        for shell, place in _SHELLS.items():
            _put(root / place, binary.run("completions", shell).encode())
        pages = Path(scratch, "pages")
        pages.mkdir()
        binary.run("man", "--dir", str(pages))
        for page in pages.iterdir():
            _put(root / f"usr/share/man/man1/{page.name}.gz", gzip.compress(page.read_bytes(), 9, mtime=0))
        about = root / "usr/share/doc/hitl"
        _put(about / "copyright", (_HERE / "copyright").read_bytes())
        _put(about / "changelog.gz", gzip.compress((TOP / "CHANGELOG.md").read_bytes(), 9, mtime=0))
        _put(about / "hitl.cyclonedx.json", sbom.encode())
        size = sum(file.stat().st_size for file in root.rglob("*") if file.is_file()) // 1024
        control = (
            (_HERE / "control")
            .read_text()
            .format(version=binary.version, architecture=binary.debian, glibc="{}.{}".format(*binary.glibc), size=size)
        )
        _put(root / "DEBIAN/control", control.encode())
        _put(root / "DEBIAN/conffiles", b"/etc/hitl/hitl.env\n")
        for script in ("postinst", "prerm", "postrm"):
            _put(root / "DEBIAN" / script, (_HERE / script).read_bytes(), 0o755)
        path = out / f"hitl_{binary.version}_{binary.debian}.deb"
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(root)
        return path


def _put(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    path.write_bytes(content)
    path.chmod(mode)
