"""`driftwatch now`: what is wrong, what the system has done about it, and the next step."""

from __future__ import annotations

import argparse
from typing import Any

from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import read_days


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    now = commands.add_parser(
        "now", parents=[everywhere], help="say what is wrong, what was done about it, and the next step"
    )
    monitor_argument(now)
    now.set_defaults(run=_now)


def _now(options: argparse.Namespace) -> None:
    from driftwatch.view.what_now import of_monitor

    artifacts = Artifacts(monitor_of(options))
    card = of_monitor(read_days(artifacts), artifacts)
    if card is None:
        print("No day was taken in yet.")
        return
    print(f"{card.day}  {card.said}")
    for line in (*(episode.text for episode in card.since), *card.where):
        print(f"  {line}.")
    for done in card.done:
        print(f"  {done.text}")
    print(f"What to do: {card.advice}")
    for step in card.steps:
        print(f"  - {step.text}")
