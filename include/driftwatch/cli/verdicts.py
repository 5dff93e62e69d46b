"""`driftwatch verdicts`: the judged days, and what a day's verdict was before."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.view.shares import wide_share
from driftwatch.view.versions import lines, model_name


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    verdicts = commands.add_parser(
        "verdicts", parents=[everywhere], help="list the judged days, and what a day's verdict was before"
    )
    monitor_argument(verdicts)
    verdicts.add_argument(
        "--changed",
        action="store_true",
        help="only days whose verdict changed with late or corrected labels, or would if run again",
    )
    verdicts.set_defaults(run=_verdicts)


def _verdicts(options: argparse.Namespace) -> None:
    from driftwatch.accuracy.history import performances, verdict_changed
    from driftwatch.accuracy.later_days import outdated

    monitor = monitor_of(options)
    days = performances(monitor, date.min, date.max)
    now = {found.day: found.now for found in outdated(monitor, days)}
    for found in days:
        if options.changed and not verdict_changed(found) and found.day not in now:
            continue
        said = found.verdict + (f" ({found.severity})" if found.severity else "")
        before = [f"{earlier.verdict} on {earlier.labels} labels" for earlier in found.revisions]
        history = f"  before: {', then '.join(before)}" if before else ""
        if found.day in now:
            history += f"  run it again: by the file and the labels as they are now, {now[found.day]}"
        accuracy = wide_share(found.accuracy)
        print(f"{found.day}  {said:22s}  accuracy {accuracy}  model {model_name(found, found.model_version)}{history}")
        for line in lines(found):
            print(f"            {line}")
    changed = sum(verdict_changed(found) for found in days)
    print(f"{len(days)} days judged; the verdict of {changed} changed after it was first given")
