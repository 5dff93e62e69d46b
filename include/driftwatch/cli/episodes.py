"""`driftwatch episodes`: each change from its first alarm to its end, and what is open now."""

from __future__ import annotations

import argparse
from typing import Any

from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.view.words import count


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    episodes = commands.add_parser(
        "episodes", parents=[everywhere], help="list the changes, each from its first alarm to its end"
    )
    monitor_argument(episodes)
    episodes.add_argument("--open", action="store_true", help="only those that go on")
    episodes.set_defaults(run=_episodes)


def _episodes(options: argparse.Namespace) -> None:
    from driftwatch.artifacts.base import find_each
    from driftwatch.artifacts.episodes import DayEpisodes
    from driftwatch.view.episodes import rows

    monitor = monitor_of(options)
    keys = [monitor.keys.day(day).file(DayEpisodes.file) for day in monitor.days()]
    found = rows([episodes for _, episodes in find_each(monitor.storage, keys, DayEpisodes)])
    for row in found:
        if row.end and options.open:
            continue
        print(f"{row.since}  {row.line:6s}  {'ended' if row.end else 'open':5s}  {row.how}")
        print(f"            {row.what}; {count(row.alarms, 'day')} with an alarm, told {count(row.told, 'time')}")
    still = sum(row.end is None for row in found)
    print(f"{count(len(found), 'episode')}, {still} open")
