"""`driftwatch keep`: what is over by `storage.keep`, and its removal."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from typing import Any

from driftwatch.cli.failures import UsageError
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.cli.reference import day_argument
from driftwatch.view.kept import in_bytes, kept_lines
from driftwatch.view.words import count


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    keep = commands.add_parser("keep", parents=[everywhere], help="say what is over by storage.keep, and remove it")
    monitor_argument(keep)
    keep.add_argument("--apply", action="store_true", help="remove it; without this, say what would be removed")
    keep.add_argument("--today", type=day_argument, help="as if it were this day; by default it is today, UTC")
    keep.set_defaults(run=_keep)


def _keep(options: argparse.Namespace) -> None:
    from driftwatch.retention.plan import keep_plan
    from driftwatch.retention.removal import remove

    monitor, now = monitor_of(options), datetime.now(timezone.utc).date()
    if options.apply and options.today and options.today > now:
        raise UsageError(f"--today {options.today} is not yet: with --apply it may be {now} at the latest")
    plan = keep_plan(monitor, options.today or now)
    for line in kept_lines(plan):
        print(line)
    said = f"{count(len(plan.over), 'file')}, {in_bytes(plan.bytes)}"
    if options.apply:
        remove(monitor, plan)
        print(f"Removed {said}")
    elif plan.over:
        print(f"{said} are over. Nothing was removed: add --apply")
    else:
        print("Nothing is over")
