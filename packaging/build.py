#!/usr/bin/env python3
"""Makes packages of a binary that is built: `cargo xtask dist` calls it.

packaging/build.py --binary target/dist/hitl --sbom FILE --out DIRECTORY [wheel] [npm] [image] [debian]
"""

import argparse
from pathlib import Path

import debian
import image
import npm
import wheel
from binary import stripped

KINDS = {"wheel": wheel.build, "npm": npm.build, "image": image.build, "debian": debian.build}


def main() -> None:
    """Makes those that are named, or all, and prints where they are and how large."""
    parser = argparse.ArgumentParser(description="Makes packages of a binary.")
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--sbom", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if none is named")
    given = parser.parse_args()
    unknown = set(given.kinds) - KINDS.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}: there are {', '.join(KINDS)}")
    given.out.mkdir(parents=True, exist_ok=True)
    binary = stripped(given.binary, given.out)
    sbom = given.sbom.read_text()
    for kind in given.kinds or KINDS:
        made = KINDS[kind](binary, sbom, given.out)
        for path in made if isinstance(made, list) else [made]:
            print(f"{path.stat().st_size / 1e6:8.1f} MB  {path}")


main()
