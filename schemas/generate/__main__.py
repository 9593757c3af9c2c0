"""``python -m schemas.generate [--check] [contract] [vectors]``: exit status 1 where ``--check`` finds a difference."""

from __future__ import annotations

import argparse
import sys

from schemas.generate import PARTS, differences, outputs, write


def main(arguments: list[str]) -> int:
    """Write or check the generated files of the parts asked for, of all by default."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description="JSON Schema, docs/schemas.md and client vectors")
    parser.add_argument("--check", action="store_true", help="name what differs, write nothing")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts (default: all)")
    given = parser.parse_args(arguments)
    made = {path: text for part in given.parts or PARTS for path, text in outputs(part).items()}
    if not given.check:
        write(made)
        print(f"{len(made)} files written")
        return 0
    found = differences(made)
    for line in found:
        print(line)
    if found:
        print("run: python -m schemas.generate")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
