"""The folders of the simulations' state. Only one simulation at a time uses them. The last finished run is kept until the next is complete."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.demo.world import ROOT

VAR = ROOT / "var"
SUMMARY = "summary.json"


class DemoFailed(DriftwatchError):
    """A simulation did not end well, or there is none to look at. The message says what to do."""


@contextmanager
def only_one(var: Path = VAR) -> Iterator[None]:
    """Lets only one simulation run: two would share the machine and their state."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(
                "a demo, a try, their UI or their labelling page is running already; stop it first (Ctrl-C in its terminal)"
            ) from None
        yield


def finished(home: Path) -> Path:
    """The folder of a simulation that ended well. Raises DemoFailed if there is none."""
    _bring_back(home)
    if not (home / SUMMARY).exists():
        raise DemoFailed(f"there is no finished run in {home} to look at: run `make {home.name}` first")
    return home


@contextmanager
def fresh(home: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Gives an empty folder at `home`. The last finished run is moved aside meanwhile. If the block fails, that run is moved back, and what the
    block wrote is kept as <home>.failed, for its logs. Paths inside are absolute, so a run must be built at its own place."""
    last, failed = _beside(home, "last"), _beside(home, "failed")
    _bring_back(home)
    if (home / SUMMARY).exists():
        home.rename(last)
        say(f"The last run is kept as {last} until this one is complete")
    else:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        yield home
    except BaseException:
        shutil.rmtree(failed, ignore_errors=True)
        home.rename(failed)
        say(f"What it wrote, with its logs, is in {failed}")
        if last.exists():
            last.rename(home)
            say(f"The last finished run is in {home} again")
        raise
    shutil.rmtree(last, ignore_errors=True)


def _bring_back(home: Path) -> None:
    """Moves the last finished run back, if a killed run has left it aside."""
    last = _beside(home, "last")
    if not last.exists():
        return
    if (home / SUMMARY).exists():  # the new run was killed after it was complete
        shutil.rmtree(last)
        return
    shutil.rmtree(home, ignore_errors=True)
    last.rename(home)


def _beside(home: Path, what: str) -> Path:
    return home.with_name(f"{home.name}.{what}")
