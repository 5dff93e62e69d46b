"""`driftwatch doctor`: whether everything that a monitor's days need is there, asked of the services themselves."""

from __future__ import annotations

import argparse
from typing import Any

from driftwatch.cli.monitor import monitor_argument
from driftwatch.cli.quiet import quiet_tensorflow
from driftwatch.config.loader import load_monitor
from driftwatch.errors import NeedsAttention


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    doctor = commands.add_parser(
        "doctor", parents=[everywhere], help="ask the storage, the services and the model whether a day can work"
    )
    monitor_argument(doctor)
    doctor.add_argument("--notify", action="store_true", help="also send a test message by every notifier")
    doctor.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> None:
    from driftwatch.doctor.examine import examine
    from driftwatch.doctor.site import site_of_command
    from driftwatch.view.doctor import line_of, summary, text_of

    found = []
    with quiet_tensorflow(options.debug):
        for finding in examine(site_of_command(load_monitor(options.monitor)), options.notify):
            print(text_of([line_of(finding)]), flush=True)
            found.append(finding)
    if any(finding.state == "wrong" for finding in found):
        raise NeedsAttention(f"{options.monitor}: {summary(found)}")
    print(f"{options.monitor}: {summary(found)}")
