"""The registry for people: each version, where it comes from, what the gate found, and who or what promoted it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.days import model_versions, stored_retrainings
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.retraining import DatasetCard, GatePart, GateResult
from driftwatch.errors import DamagedArtifact
from driftwatch.models.metrics import in_order
from driftwatch.models.pending import pending
from driftwatch.view import tones
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.gate_segments import GateSegmentRow, gate_segment_rows, worse_segments_line
from driftwatch.view.shares import ShownShare, p_digits, shown

if TYPE_CHECKING:
    from pydantic import JsonValue

logger = logging.getLogger(__name__)
HANDED_OVER = "handed_over"
_MOST_CLASSES, _MOST_ENTRIES = 15, 8


@dataclass(frozen=True)
class GateRow:
    """One part of the gate's table: champion and challenger on the same images. `difference`: in points, with its bounds."""

    part: str
    n: int
    champion: ShownShare
    challenger: ShownShare
    won: int
    lost: int
    difference: ShownShare
    p: str


@dataclass(frozen=True)
class Gate:
    """What the gate found. `verdict`: in a word; `against`: the champion then; `reasons`: in sentences; `segments`: both models by segment."""

    verdict: tones.Verdict
    against: str
    reasons: tuple[str, ...]
    rows: tuple[GateRow, ...]
    segments: list[GateSegmentRow]


@dataclass(frozen=True)
class ModelRow:
    """A version with its card. `state`: champion, previous (the one before it), or kept. `back`: whether it was champion before, so that a
    rollback to it is possible. `facts`: the card's entries."""

    version: str
    state: str
    back: bool
    promoted_by: str | None
    created_by: str
    parent: str | None
    holdout: ShownShare
    holdout_n: int
    gate: Gate | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Retraining:
    """A retraining that collected a set. `day`: the last whose labels it used. `decision`: the gate's, or `handed_over` where the team trains the
    model; None before. `version` is None before the gate."""

    day: str
    run: str
    decision: str | None
    version: str | None


def champion(artifacts: Artifacts) -> ChampionPointer | None:
    """The pointer to the version that production serves; None before the first. Raises DamagedArtifact."""
    return artifacts.find(artifacts.keys.champion, ChampionPointer)


def champion_or_problem(artifacts: Artifacts) -> tuple[ChampionPointer | None, str | None]:
    """Like `champion`. If it cannot be read: None, with the reason."""
    try:
        return champion(artifacts), None
    except (DamagedArtifact, PermissionError) as error:
        return None, str(error)


def models(artifacts: Artifacts) -> list[ModelRow]:
    """Every version, newest first. Versions whose card cannot be read are left out: `problems` names them."""
    pointer, _ = champion_or_problem(artifacts)
    keys = [
        artifacts.keys.model_card(version) for version in reversed(model_versions(artifacts.storage, artifacts.keys))
    ]
    found = artifacts.look_at_each([(key, reader(ModelCard)) for key in keys])
    return [_row(one.value, pointer) for one in found if one.value is not None]


def _row(card: ModelCard, pointer: ChampionPointer | None) -> ModelRow:
    serves = pointer is not None and card.version == pointer.version
    was_before = pointer is not None and card.version == pointer.previous
    state = "previous" if was_before else "champion" if serves else "kept"
    held = card.metrics.holdout
    return ModelRow(
        version=card.version,
        state=state,
        back=pointer is not None and card.version in pointer.champions and state != "champion",
        promoted_by=pointer.promoted_by if pointer and state == "champion" else None,
        created_by=card.created_by,
        parent=card.parent,
        holdout=shown(held.accuracy),
        holdout_n=held.n,
        gate=gate(card.gate) if card.gate else None,
        facts=tuple(facts(card)),
    )


def problems(artifacts: Artifacts) -> list[str]:
    """What of the registry cannot be read, each with its name."""
    cards = [artifacts.keys.model_card(version) for version in model_versions(artifacts.storage, artifacts.keys)]
    pointer = (artifacts.keys.champion, reader(ChampionPointer))
    found = artifacts.look_at_each([pointer, *((key, reader(ModelCard)) for key in cards)])
    return [str(one.problem) for one in found if one.problem]


def retrainings(artifacts: Artifacts) -> list[Retraining]:
    """Each retraining that collected a set, by its day."""
    found = []
    for run in stored_retrainings(artifacts.storage, artifacts.keys):
        try:
            data = artifacts.find(artifacts.keys.retraining(run, DATASET_CARD), DatasetCard)
            told = artifacts.find(artifacts.keys.retraining(run, GATE), GateResult)
            handed_over = (
                None if told else artifacts.find(artifacts.keys.of_retraining(run).handover.manifest, Handover)
            )
        except (DamagedArtifact, PermissionError) as error:
            logger.warning("a retraining is left out of the charts: %s", error)
            continue
        if data:
            decision, version = (told.decision, told.version) if told else (HANDED_OVER if handed_over else None, None)
            found.append(Retraining(data.last_day.isoformat(), run, decision, version))
    return sorted(found, key=lambda row: (row.day, row.run))


def waited_for(artifacts: Artifacts) -> Handover | None:
    """The training set that was handed over and whose model is still waited for on the newest day; None if there is none, or if what tells
    of it cannot be read: `problems` names that."""
    days = artifacts.store.days()
    try:
        return pending(artifacts.store, days[-1]) if days else None
    except DamagedArtifact as error:
        logger.warning("the models page cannot say whether a model is waited for: %s", error)
        return None


def gate(found: GateResult) -> Gate:
    """The gate's decision, reasons and table."""
    rows = (_gate_row("Recent days", found.recent), _gate_row("Clean images", found.clean))
    worse = worse_segments_line(found.segments)
    reasons = (*found.reasons, *([worse] if worse else []))
    return Gate(tones.of_gate(found.decision), found.champion, reasons, rows, gate_segment_rows(found.segments))


def _gate_row(title: str, part: GatePart) -> GateRow:
    difference = ShownShare("–", "")
    if part.difference is not None and part.low is not None and part.high is not None:
        difference = ShownShare(f"{100 * part.difference:+.1f}", f"[{100 * part.low:+.1f}, {100 * part.high:+.1f}]")
    return GateRow(
        part=title,
        n=part.n,
        champion=shown(part.champion.accuracy),
        challenger=shown(part.challenger.accuracy),
        won=part.won,
        lost=part.lost,
        difference=difference,
        p=p_digits(part.p_value),
    )


def facts(card: ModelCard) -> list[tuple[str, str]]:
    """The card's plain entries. The name of a nested one has a dot. Classes keep their order; if there are many, they are counted. The
    gate, the metrics and long lists are left out: they are shown elsewhere."""
    left_out = {"gate", "metrics", "history"}
    found = card.model_dump(mode="json", exclude_unset=True, exclude=left_out)
    return list(_entries("", found, card.classes))


def _entries(name: str, value: JsonValue, classes: Sequence[str]) -> Iterable[tuple[str, str]]:
    match value:
        case dict() if value and set(value) <= set(classes) and len(value) > _MOST_CLASSES:
            yield name, f"{len(value)} classes: `driftwatch models FILE show` lists them"
        case dict():
            for key in in_order(value, classes):
                yield from _entries(f"{name}.{key}" if name else key, value[key], classes)
        case list():
            yield name, f"{len(value)} entries" if len(value) > _MOST_ENTRIES else ", ".join(map(str, value))
        case _:
            yield name, "–" if value is None else str(value)
