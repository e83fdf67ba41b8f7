"""Packages for npm: that of the SDK, and one with the program for this platform that it names as optional."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from binary import TOP, Binary


def build(binary: Binary, sbom: str, out: Path) -> list[Path]:
    """Packs both. npm installs of the optional ones that which fits, by `os`, `cpu` and `libc`."""
    sdk = TOP / "sdk/typescript"
    manifest = json.loads((sdk / "package.json").read_text())
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, "program")
        (program / "bin").mkdir(parents=True)
        shutil.copy(binary.path, program / "bin/hitl")
        shutil.copy(TOP / "LICENSE", program)
        (program / "hitl.cyclonedx.json").write_text(sbom)
        name = f"{manifest['name']}-linux-{binary.npm_cpu}"
        (program / "README.md").write_text(
            f"# {name}\n\nThe hitl program for `{manifest['name']}`, which installs it.\n"
        )
        about = {
            "name": name,
            "version": manifest["version"],
            "description": "The hitl program for Linux",
            "license": manifest["license"],
            "os": ["linux"],
            "cpu": [binary.npm_cpu],
            "libc": ["glibc"],
            "preferUnplugged": True,
        }
        (program / "package.json").write_text(json.dumps(about, indent=2))
        package = Path(scratch, "package")
        package.mkdir()
        subprocess.run(["npm", "run", "--silent", "build"], cwd=sdk, check=True)
        for part in [*manifest["files"], "README.md"]:
            source = sdk / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, package / part)
        shutil.copy(TOP / "LICENSE", package)
        (package / "bin").mkdir()
        shutil.copy(TOP / "packaging/npm/hitl.js", package / "bin/hitl.js")
        # What is only here cannot be in the manifest that the SDK is developed with: no registry has it yet.
        for only_here in ("scripts", "devDependencies"):
            manifest.pop(only_here, None)
        manifest["files"] = [*manifest["files"], "bin"]
        manifest["bin"] = {"hitl": "bin/hitl.js"}
        manifest["optionalDependencies"] = {name: manifest["version"]}
        (package / "package.json").write_text(json.dumps(manifest, indent=2))
        return [_pack(program, out), _pack(package, out)]


def _pack(package: Path, out: Path) -> Path:
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", out, package]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return out / done.stdout.strip().splitlines()[-1]
