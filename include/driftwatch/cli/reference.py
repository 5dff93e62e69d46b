"""`driftwatch reference`: what counts as usual. Days are accepted and withdrawn, features and segments muted."""

from __future__ import annotations

import argparse
import getpass
from datetime import date, datetime, timezone
from difflib import get_close_matches
from typing import Any

from driftwatch.artifacts.days import day_of, days_in
from driftwatch.artifacts.reference import BaselineDecision, Mute, StateOfModel
from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.failures import UsageError
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.cli.quiet import quiet_tensorflow
from driftwatch.config.reference import ReferenceConfig


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    reference = commands.add_parser("reference", help="say what counts as usual: accept days, mute features")
    kinds = reference.add_subparsers(required=True, metavar="list|accept|withdraw|mute|unmute")
    shown = kinds.add_parser("list", parents=[everywhere], help="list the accepted states and what is muted")
    monitor_argument(shown)
    shown.set_defaults(run=_list)
    accept = kinds.add_parser("accept", parents=[everywhere], help="days like these are usual from now on")
    monitor_argument(accept)
    accept.add_argument(
        "--days", required=True, help="a day, a range such as 2026-01-08..2026-01-10, or several with commas"
    )
    accept.add_argument("--name", default="", help="the state's name; by default its first and last day")
    accept.set_defaults(run=_accept)
    withdraw = kinds.add_parser("withdraw", parents=[everywhere], help="take an acceptance back")
    monitor_argument(withdraw)
    withdraw.add_argument("state", help="its name, as list shows it")
    withdraw.set_defaults(run=_withdraw)
    mute = kinds.add_parser("mute", parents=[everywhere], help="a feature or a segment does not alarm for a while")
    monitor_argument(mute)
    mute.add_argument("name", help="a feature, such as image.Sharpness.laplacian, or a segment, such as camera=door-17")
    mute.add_argument("--until", required=True, type=day_argument, help="the last day on which it does not alarm")
    mute.set_defaults(run=_mute)
    unmute = kinds.add_parser("unmute", parents=[everywhere], help="let it alarm again")
    monitor_argument(unmute)
    unmute.add_argument("name", help="the feature or the segment")
    unmute.set_defaults(run=_unmute)
    for command in (mute, unmute):
        command.add_argument(
            "--from", dest="since", type=day_argument, help="the first day; by default the newest one that was run"
        )
    for command in (accept, withdraw, mute):
        command.add_argument("--reason", required=True, help="why; the pages show it")
        command.add_argument("--by", help="who decides; by default your login name")


def day_argument(text: str) -> date:
    """A day of the command line. Raises ArgumentTypeError for what is none."""
    found = day_of(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write YYYY-MM-DD")
    return found


def _list(options: argparse.Namespace) -> None:
    from driftwatch.drift.mutes import all_mutes
    from driftwatch.drift.states import accepted_states
    from driftwatch.view.states import as_range

    monitor = monitor_of(options)
    states = accepted_states(monitor)
    print(f"* {_baseline(monitor.config.reference)}")
    for state in states:
        mark = "*" if state.counts else " "
        print(f"{mark} {state.name}  {as_range(state.days)}  {state.images} images")
        for decision in state.history:
            print(f"      {decision.what} {decision.at:%Y-%m-%d %H:%M} by {decision.by}: {decision.reason}")
    for mute in (mute for mute in all_mutes(monitor) if mute.since <= mute.until):
        print(f"  {mute.what} {mute.name} muted {mute.since} to {mute.until} by {mute.by}: {mute.reason}")


def _baseline(settings: ReferenceConfig) -> str:
    if settings.baseline == "trailing":
        return f"trailing  the last {settings.trailing_days} usual days; the training data as long as there are fewer"
    if settings.baseline == "days":
        return f"days  {', '.join(f'{part.first}..{part.last}' for part in settings.days)}"
    return "training  the images that the model was made from"


def _decision(options: argparse.Namespace, what: str) -> BaselineDecision:
    return BaselineDecision.model_validate({"what": what, **_signature(options)})


def _signature(options: argparse.Namespace) -> dict[str, object]:
    """Who decides, when, and why."""
    reason = options.reason.strip()
    if not reason:
        raise UsageError("--reason is empty: say why, for those who read it in half a year")
    return {"by": options.by or getpass.getuser(), "at": datetime.now(timezone.utc), "reason": reason}


def _accept(options: argparse.Namespace) -> None:
    from driftwatch.drift.accepted import accept

    monitor, decision = monitor_of(options), _decision(options, "accepted")
    with quiet_tensorflow(options.debug):
        state = accept(monitor, days_in(options.days), decision, options.name)
    print(f"{state.name}: days after {state.days[-1]} that are like it are usual ({state.images} images)")
    _say_what_is_missing(monitor, state.name)


def _say_what_is_missing(monitor: MonitorStore, name: str) -> None:
    from driftwatch.models.registry import champion

    current = champion(monitor)
    known = monitor.find(monitor.keys.state(name, current.version), StateOfModel) if current else None
    for day, why in (known.left_out if known else {}).items():
        print(f"  content and predictions without {day}: {why}")


def _withdraw(options: argparse.Namespace) -> None:
    from driftwatch.drift.accepted import withdraw

    state = withdraw(monitor_of(options), options.state, _decision(options, "withdrawn"))
    print(f"{state.name} is not usual any more; days that were judged keep their verdict")


def _mute(options: argparse.Namespace) -> None:
    from driftwatch.drift.mutes import FEATURE, SEGMENT, add_mute

    monitor = monitor_of(options)
    mute = {
        "what": SEGMENT if "=" in options.name else FEATURE,
        "name": options.name,
        "since": options.since or _newest(monitor),
        "until": options.until,
        **_signature(options),
    }
    found = add_mute(monitor, Mute.model_validate(mute))
    print(f"{found.what} {found.name} does not alarm from {found.since} to {found.until}")
    if found.what == SEGMENT:
        _warn_of_unseen(monitor, found.name)


def _warn_of_unseen(monitor: MonitorStore, name: str) -> None:
    """Says so where the newest day that was judged has no such segment: a slip of the hand mutes nothing."""
    from driftwatch.artifacts.drift import DayDrift

    judged = (monitor.day(day) for day in reversed(monitor.days()))
    drift = next((found for day in judged if (found := day.find(DayDrift))), None)
    known = {f"{segment.by}={segment.name}" for segment in drift.segments} if drift else set()
    if drift and name not in known:
        near = get_close_matches(name, known, n=5) or sorted(known)[:5]
        there = f"it has {', '.join(near)}" if near else "it has none"
        print(
            f"Warning: {drift.day}, the newest day that was judged, has no segment {name}; {there}. If it was mistyped, unmute it"
        )


def _unmute(options: argparse.Namespace) -> None:
    from driftwatch.drift.mutes import end_mutes

    monitor = monitor_of(options)
    since = options.since or _newest(monitor)
    end_mutes(monitor, options.name, since)
    print(f"{options.name} alarms again from {since} on")


def _newest(monitor: MonitorStore) -> date:
    days = monitor.days()
    if not days:
        raise UsageError("no day was run yet: name the first day by --from")
    return days[-1]
