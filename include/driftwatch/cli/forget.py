"""`driftwatch forget`: takes images out of everything that is stored of a monitor."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftwatch.cli.failures import UsageError
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.errors import MissingArtifact

if TYPE_CHECKING:
    from driftwatch.artifacts.annotation import AnnotationPlan
    from driftwatch.artifacts.store import DayStore


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    forget = commands.add_parser(
        "forget", parents=[everywhere], help="take images out of everything that is stored, with a receipt"
    )
    monitor_argument(forget)
    forget.add_argument(
        "--image", nargs="+", default=[], metavar="KEY|SHA256", help="the key of an image's file, or its sha256"
    )
    forget.add_argument("--from", dest="file", type=Path, metavar="FILE", help="a text file with one of these a line")
    forget.add_argument("--apply", action="store_true", help="do it; without this, say what would be done")
    forget.add_argument("--by", help="who asks for it; by default your login name")
    forget.set_defaults(run=_forget)


def _forget(options: argparse.Namespace) -> None:
    from driftwatch.retention.forget import Asked, Outside, forget, unfinished
    from driftwatch.retention.search import forget_plan
    from driftwatch.view.forgotten import planned_lines, receipt_lines

    monitor, wanted = monitor_of(options), _wanted(options)
    begun = unfinished(monitor)
    if not wanted and not begun:
        raise UsageError("name the images by --image or --from")
    if options.apply:
        asked = Asked(options.by or getpass.getuser(), datetime.now(timezone.utc))
        receipt = forget(monitor, wanted, asked, Outside(_nobody, _write_report))
        print("\n".join(receipt_lines(receipt)))
        return
    if begun:
        print(f"{', '.join(begun)} was begun and not ended: --apply ends it first")
    print("\n".join(planned_lines(forget_plan(monitor, wanted))))
    print("Nothing was changed: add --apply")


def _wanted(options: argparse.Namespace) -> list[str]:
    lines = options.file.read_text(encoding="utf-8").splitlines() if options.file else []
    return [name for name in (*options.image, *(line.strip() for line in lines)) if name]


def _nobody(plan: AnnotationPlan, tokens: Mapping[str, str]) -> int | None:
    """A terminal has no login at the label services: the DAG asks them."""
    return None


def _write_report(day: DayStore) -> None:
    from driftwatch.view.report import write_report

    with suppress(MissingArtifact):
        write_report(day)
