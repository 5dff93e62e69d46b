"""What the doctor found, in words: a table with one line for each check, and what to do about it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

from driftwatch.doctor.results import (
    Answered,
    Check,
    CheckResult,
    Facts,
    ForGate,
    ForVerdict,
    LinkLife,
    MonthsCost,
    Promotion,
    ReferenceOf,
    Said,
    Skew,
    State,
)
from driftwatch.errors import DriftwatchError
from driftwatch.http import NoAnswer

MARKS: dict[State, str] = {"ok": "ok", "look": "look", "wrong": "WRONG", "not_checked": "-"}
_WHAT: dict[Check, str] = {
    "connection": "connection",
    "storage": "storage",
    "storage_create": "storage: create an object",
    "storage_only_once": "storage: create it only where there is none",
    "storage_read": "storage: read it",
    "storage_list": "storage: list it",
    "storage_remove": "storage: remove it",
    "formats": "images: decoders of their formats",
    "images": "images: list and read them",
    "boxes": "boxes that are covered in images",
    "image_links": "links by which people see images",
    "clock": "clock",
    "label_service": "label service",
    "whylabs": "WhyLabs",
    "mlflow": "MLflow",
    "notifier": "notifier",
    "champion": "champion",
    "model": "the model answers",
    "reference": "what a day is compared with",
    "verdict": "labels for a verdict",
    "evaluation": "images for the gate",
    "gate": "promotion",
    "cost": "cost of labels",
}
_TO_DO: dict[Check, str] = {
    "connection": "make the connection under Admin > Connections, in the environment, or in the secrets backend, where this ran",
    "storage": "correct storage.uri, storage.connection, or the rights of its account",
    "storage_create": "give the account of storage.connection the right to write below the monitor's folder",
    "storage_only_once": "use a storage with conditional writes",
    "storage_read": "give the account the right to read below the monitor's folder",
    "storage_list": "give the account the right to list the monitor's folder",
    "storage_remove": "give the account the right to delete below the monitor's folder",
    "formats": "install it where the tasks run, or take the format out of images.formats",
    "images": "correct images.layout, or give the account of images.layout.connection the rights to list and to read there",
    "boxes": "put the table where labels.blur says, or correct labels.blur; until then nobody is shown its images",
    "image_links": "correct labels.image_links, or what its connection leads to",
    "clock": "set the clocks by a time server, on this machine and that one",
    "label_service": "correct labels.connection, or the account behind it",
    "whylabs": "correct publish.connection and publish.dataset, or leave whylabs out of publish.sinks",
    "mlflow": "correct registry.mlflow.connection",
    "notifier": "correct the entry of notifiers in the monitor file, or its connection",
    "champion": "make the first champion by driftwatch champion train or import, or put the monitor file back",
    "model": "import the model again, or correct the section model",
    "reference": "build it anew: retrain, or import the champion with --replace",
    "verdict": "raise labels.sample_size, or lower performance.min_labels",
    "evaluation": "raise labels.sample_size or retraining.evaluation_share",
    "gate": "do what it names, or no retraining will end in another champion",
    "cost": "raise the limit that is named, or lower labels.sample_size or labels.overlap",
}
_REACH = "start what should answer there, or correct the address, then ask the doctor again"
_LIMITS = {
    "labels.max_cost_per_day": "a full day costs more than labels.max_cost_per_day: such days will be refused",
    "labels.max_cost_per_month": "labels.max_cost_per_month is enough for {days} full days of a month: later ones will be refused",
}


@dataclass(frozen=True)
class Line:
    """One row of the table. `to_do` is empty where nothing is to be done."""

    mark: str
    what: str
    said: str
    to_do: str


def line_of(finding: CheckResult) -> Line:
    what = _WHAT[finding.check] + (f" {finding.about}" if finding.about and finding.check != "cost" else "")
    to_do = _TO_DO[finding.check] if finding.state in ("wrong", "look") else ""
    if isinstance(finding.problem, NoAnswer):  # whatever was asked for
        to_do = _REACH
    return Line(MARKS[finding.state], what, said_of(finding), to_do)


def said_of(finding: CheckResult) -> str:
    """What was found, in a sentence."""
    if finding.problem is not None:
        kind = "" if isinstance(finding.problem, DriftwatchError) else f"{type(finding.problem).__name__}: "
        return kind + " ".join(str(finding.problem).split())
    if finding.check == "cost" and isinstance(finding.facts, MonthsCost) and finding.about:
        return _LIMITS[finding.about].format(days=finding.facts.days)
    return _words(finding.facts) if finding.facts else ""


def cost_words(cost: MonthsCost) -> str:
    """What a full day and thirty of them cost, beside the limits."""
    work = f"{cost.day.pages} pages, {cost.day.total:.2f} USD with the fee"
    if cost.day.hours is not None:
        work = f"{cost.day.hours:.1f} hours of people's time, {cost.day.total:.2f} USD"
    return f"A day of {cost.images} labelled images: {work} (limit {cost.day_limit:.2f}); 30 such days {cost.month:.2f} USD (limit {cost.month_limit:.2f})"


def text_of(lines: Sequence[Line], width: int = 120) -> str:
    """The table as text: mark, what was checked, what was found, and below it what to do."""
    indent = " " * 7
    told = []
    for line in lines:
        first = f"{line.mark:<6} {line.what}" + (f": {line.said}" if line.said else "")
        told += textwrap.wrap(first, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        if line.to_do:
            told += textwrap.wrap(
                f"-> {line.to_do}",
                width,
                initial_indent=indent,
                subsequent_indent=indent + "   ",
                break_long_words=False,
            )
    return "\n".join(told)


def summary(findings: Sequence[CheckResult]) -> str:
    """How many checks found what."""
    count = {state: sum(found.state == state for found in findings) for state in MARKS}
    parts = [f"fine {count['ok']}", f"worth a look {count['look']}", f"wrong {count['wrong']}"]
    if count["not_checked"]:
        parts.append(f"not made {count['not_checked']}")
    return f"checks: {', '.join(parts)}"


@singledispatch
def _words(facts: Facts) -> str:
    raise TypeError(f"{type(facts).__name__} has no words: register a function for it in {__name__}")


@_words.register
def _(facts: Said) -> str:
    return facts.text


@_words.register
def _(facts: LinkLife) -> str:
    hours = f"a link works, and lives for {facts.hours} hours"
    return f"{hours}, or is made anew before it ends" if facts.renewed else hours


@_words.register
def _(facts: Skew) -> str:
    side = "ahead of" if facts.seconds > 0 else "behind"
    return (
        "agrees with this machine's" if abs(facts.seconds) < 2 else f"{abs(facts.seconds):.0f} s {side} this machine's"
    )


@_words.register
def _(facts: Answered) -> str:
    return f"{facts.version} ({facts.kind}) loads and answers {facts.images} images in {facts.seconds:.1f} s"


@_words.register
def _(facts: ReferenceOf) -> str:
    said = f"{facts.images} images of {facts.version}'s training data"
    return f"{said}, without {', '.join(facts.missing)}" if facts.missing else said


@_words.register
def _(facts: ForVerdict) -> str:
    if facts.images < facts.needed:
        return "labels.sample_size is below performance.min_labels: no day will ever have a verdict"
    return f"{facts.images} a day, where a verdict takes {facts.needed}"


@_words.register
def _(facts: ForGate) -> str:
    if facts.images < facts.needed:
        return f"one day leaves {facts.images:.0f} images for the gate, which needs {facts.needed}: a single alert cannot promote a model"
    return f"one day leaves {facts.images:.0f}, where the gate takes {facts.needed}"


@_words.register
def _(facts: Promotion) -> str:
    return facts.said


@_words.register
def _(facts: MonthsCost) -> str:
    return cost_words(facts)
