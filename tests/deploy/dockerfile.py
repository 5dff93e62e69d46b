"""The steps of a Dockerfile, and how they are run without Docker: in a root of their own, in their order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """`word`: FROM, ARG, ENV, COPY or RUN. `said`: what follows it, in one line."""

    word: str
    said: str


def steps(path: Path) -> list[Step]:
    """The file's steps. Comments are left out, also those between the lines of a step."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines)).splitlines()
    return [Step(word, said.strip()) for word, said in (line.split(maxsplit=1) for line in whole)]


def settings(found: list[Step]) -> dict[str, str]:
    """What ENV sets, for the image's programs."""
    return {
        name: value for step in found if step.word == "ENV" for name, value in re.findall(r"(\S+?)=(\S+)", step.said)
    }


def build(context: Path, root: Path, arguments: Mapping[str, str], run: Callable[[str], None]) -> None:
    """Copies and runs what the Dockerfile of the folder `context` says. `root`: the folder that stands for `/`, of which
    the file may only write /opt. `arguments`: those of the build. `run`: runs a line of shell inside."""
    known: dict[str, str] = {}
    for step in steps(context / "Dockerfile"):
        if step.word == "ARG":
            name, _, default = step.said.partition("=")
            known[name] = arguments.get(name, default)
        elif step.word == "COPY":
            *sources, target = [word for word in step.said.split() if not word.startswith("--")]
            _copy([context / source for source in sources], root, target)
        elif step.word == "RUN":
            given = " ".join(f"{name}='{value}'" for name, value in known.items())
            run(f"export {given}; {step.said}")
        else:
            assert step.word in ("FROM", "ENV"), f"a step that this cannot run: {step.word} {step.said}"


def _copy(sources: list[Path], root: Path, target: str) -> None:
    assert target.startswith("/opt/"), target
    place = root / target.lstrip("/")
    for source in sources:
        if source.is_dir():  # COPY puts what is inside a folder into the target
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, place, dirs_exist_ok=True, ignore=ignored)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
