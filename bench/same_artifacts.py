"""Compares what two runs left under their storage roots, and says what differs: the proof that a rebuild changes no artifact.

    python -m bench.same_artifacts <root A> <root B>    # folders or file:// addresses; A is the older code's

Every file counts. JSON is compared field by field and number by number as it is written, Parquet by columns and rows, arrays and
models by their content, reports by their lines, all else by its bytes; nothing has a tolerance. B may have `schema_version` where A
has none. What differs between two runs of the same code is named in `RUN_DEPENDENT` and `CUTS`, each with its reason, and counted.
Ends with 1 where anything else differs, and with 2 where there is nothing to compare.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.artifact_readers import READERS, difference, read_bytes

SHOWN = 20  # differences of one file that are told


@dataclass(frozen=True)
class RunDependent:
    """A piece of an artifact that two runs of the same code may write differently. `file` and `piece` are patterns as of the shell."""

    file: str
    piece: str
    reason: str


RUN_DEPENDENT = (
    RunDependent(
        "*/days/*/annotation.json", "/expires", "the pool ends so many hours after the moment of its creation"
    ),
    RunDependent("*/days/*/annotation.json", "/links_expire", "image links end so many hours after the pool"),
    RunDependent("*/days/*/annotation.json", "/exam/links_end", "the exam's links end seven days after it was made"),
    RunDependent("*/days/*/assignments.parquet", "submitted", "the moment at which an annotator answered"),
)
# Pieces of text that stand for the place of a run, wherever they are found, and what is compared instead.
CUTS = {
    "address": (r"http://127\.0\.0\.1:\d+", "http://server", "the demo's servers take free ports"),
    "place": (r"file:///[^\s\"'<>]*?/storage(?=/)", "file:///storage", "the folder that the run was in"),
}
# New in each JSON artifact; nothing else may be in B alone.
NEW_IN_B = "schema_version"


@dataclass
class Account:
    """What was compared and found.

    compared: files in both roots, by suffix; equal: those of the same bytes; skipped, cut and versions: how often a difference was
    allowed, and why; differing: by file, the other differences in words.
    """

    compared: Counter[str] = field(default_factory=Counter)
    equal: int = 0
    skipped: Counter[RunDependent] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    versions: int = 0
    differing: dict[str, list[str]] = field(default_factory=dict)


def compare(a: Path, b: Path) -> Account:
    """Compares two roots file by file."""
    account = Account()
    ours, theirs = _files(a), _files(b)
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in theirs or name not in ours:
            account.differing[name] = ["only in A" if name in ours else "only in B"]
        else:
            _compare_file(name, ours[name].read_bytes(), theirs[name].read_bytes(), account)
    return account


def _files(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


def _compare_file(name: str, a: bytes, b: bytes, account: Account) -> None:
    suffix = Path(name).suffix.lower()
    account.compared[suffix or "(none)"] += 1
    if a == b:
        account.equal += 1
        return
    read, cuts = READERS.get(suffix, read_bytes), Counter[str]()
    patterns = {name: (pattern, instead) for name, (pattern, instead, _) in CUTS.items()}
    try:
        ours, theirs = read(a, patterns, cuts), read(b, patterns, Counter())
    except Exception as error:  # a damaged artifact is a finding, and the others are still compared
        account.differing[name] = [f"other bytes, which cannot be read as {suffix}: {type(error).__name__}: {error}"]
        return
    rules = [rule for rule in RUN_DEPENDENT if fnmatchcase(name, rule.file)]
    skipped, versions, found = Counter[RunDependent](), 0, []
    for piece in {**ours, **theirs}:
        told = difference(ours.get(piece), theirs.get(piece))
        rule = next((rule for rule in rules if fnmatchcase(piece, rule.piece)), None)
        if told is None:
            continue
        if rule is not None and piece in ours and piece in theirs:
            skipped[rule] += 1
        elif suffix == ".json" and piece.endswith(f"/{NEW_IN_B}") and piece not in ours:
            versions += 1
        else:
            found.append(f"{piece}: {told}")
    if not found and not (skipped or cuts) and (not versions or _without_versions(b) != a):
        found = ["the content is the same, the bytes are others"]
    if found:
        account.differing[name] = found
    account.skipped += skipped
    account.versions += versions
    account.cut += cuts


def _without_versions(data: bytes) -> bytes:
    """The JSON text without its lines of schema versions, and the comma that each of them takes."""
    line = rf'\n *"{NEW_IN_B}": \d+'
    return re.sub(rf"{line},(?=\n)|,{line}(?=\n)".encode(), b"", data)


def lines(account: Account) -> Iterator[str]:
    """The account for a person."""
    compared = ", ".join(f"{n} {suffix}" for suffix, n in sorted(account.compared.items()))
    yield f"Compared {account.compared.total()} files ({compared}): {account.equal} are equal to the byte."
    if account.skipped or account.cut or account.versions:
        yield "Allowed, since two runs of the same code differ in it too, or since it is new:"
        for rule, n in account.skipped.items():
            yield f"  {n:5} x {rule.file} {rule.piece}: {rule.reason}"
        for name, n in account.cut.items():
            yield f"  {n:5} x {CUTS[name][0]} in texts of files that differ: {CUTS[name][2]}"
        if account.versions:
            yield f"  {account.versions:5} x {NEW_IN_B} in B alone"
    if not account.differing:
        yield "Nothing else differs."
        return
    yield f"{len(account.differing)} files differ:"
    for name, found in account.differing.items():
        yield f"  {name}"
        yield from (f"      {told}" for told in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"      … and {len(found) - SHOWN} more differences in this file"


def _root(address: str) -> Path:
    return Path(unquote(urlsplit(address).path)) if address.startswith("file://") else Path(address)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.same_artifacts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "a", type=_root, metavar="A", help="storage root of the older code: a folder or a file:// address"
    )
    parser.add_argument("b", type=_root, metavar="B", help="storage root of the newer code")
    options = parser.parse_args(arguments)
    for root in (options.a, options.b):
        if not root.is_dir() or not any(path.is_file() for path in root.rglob("*")):
            print(
                f"{root} holds no files: name the storage root of a finished run, such as var/demo/storage",
                file=sys.stderr,
            )
            return 2
    account = compare(options.a, options.b)
    print("\n".join(lines(account)))
    return 1 if account.differing else 0


if __name__ == "__main__":
    sys.exit(main())
