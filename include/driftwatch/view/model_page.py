"""The models for people: each version, where it comes from, what the gate found, how good it was in production, and who or what promoted it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftwatch.artifacts.days import model_versions
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.view import tones
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.changed_images import ChangedImages, changed_images
from driftwatch.view.days import Day, read_days
from driftwatch.view.gate_table import Gate, gate
from driftwatch.view.model_card import FactGroup, card_groups
from driftwatch.view.models import champion_or_problem
from driftwatch.view.served import Served, served
from driftwatch.view.shares import ShownShare, shown

_USES = {"train": "training", "validation": "validation", "evaluation": "the comparison"}


@dataclass(frozen=True)
class LearntDay:
    """A day whose labels a version learnt from. `text`: how many, by what they were used for."""

    day: str
    text: str


@dataclass(frozen=True)
class ModelRow:
    """A version with its card. `state`: champion, previous (the one before it), or kept; `badge`: that in words, with what the gate said; `why`: why it
    serves, or does not. `back`: whether it was champion before, so that a rollback to it is possible. `served`: how good it was in production; `learnt`:
    the days that it learnt from; `run`: the folder of its retraining, None for a first champion; `groups`: the card's entries."""

    version: str
    state: str
    badge: tones.Verdict
    why: tuple[str, ...]
    back: bool
    promoted_by: str | None
    created_by: str
    parent: str | None
    holdout: ShownShare
    holdout_n: int
    served: Served | None
    gate: Gate | None
    changed: ChangedImages | None
    learnt: tuple[LearntDay, ...]
    run: str | None
    groups: tuple[FactGroup, ...]


def models(artifacts: Artifacts) -> list[ModelRow]:
    """Every version, newest first. Versions whose card cannot be read are left out: `problems` names them."""
    pointer, _ = champion_or_problem(artifacts)
    keys = [
        artifacts.keys.model_card(version) for version in reversed(model_versions(artifacts.storage, artifacts.keys))
    ]
    found = artifacts.look_at_each([(key, reader(ModelCard)) for key in keys])
    days = read_days(artifacts)
    return [_row(one.value, pointer, days, artifacts) for one in found if one.value is not None]


def _row(card: ModelCard, pointer: ChampionPointer | None, days: Sequence[Day], artifacts: Artifacts) -> ModelRow:
    serves = pointer is not None and card.version == pointer.version
    was_before = pointer is not None and card.version == pointer.previous
    state = "previous" if was_before else "champion" if serves else "kept"
    held, promoted_by = card.metrics.holdout, pointer.promoted_by if pointer and state == "champion" else None
    back = pointer is not None and card.version in pointer.champions and state != "champion"
    return ModelRow(
        version=card.version,
        state=state,
        badge=_badge(card, state, back),
        why=_why(card),
        back=back,
        promoted_by=promoted_by,
        created_by=card.created_by,
        parent=card.parent,
        holdout=shown(held.accuracy),
        holdout_n=held.n,
        served=served(days, card.version),
        gate=gate(card.gate) if card.gate else None,
        changed=changed_images(artifacts, card.gate) if card.gate else None,
        learnt=_learnt(card),
        run=card.data.run_key,
        groups=card_groups(card),
    )


def _badge(card: ModelCard, state: str, back: bool) -> tones.Verdict:
    """Who serves, who did, and who was refused."""
    if state == "champion":
        return tones.Verdict(tones.GOOD, "champion: serves now")
    if back:
        return tones.Verdict(tones.WAITING, "champion before")
    if card.gate is None:
        return tones.Verdict(tones.WAITING, "never served")
    refused = tones.of_gate(card.gate.decision)
    words = {"promote": "passed the gate, never served", "keep": "refused by the gate"}
    return tones.Verdict(refused.tone, words.get(card.gate.decision, f"not promoted: {tones.NOT_ENOUGH}"))


def _why(card: ModelCard) -> tuple[str, ...]:
    """What the gate said: of one that passed, where it is better; of another, everything."""
    if card.gate is None:
        return ()
    return card.gate.reasons[:1] if card.gate.decision == "promote" else card.gate.reasons


def _learnt(card: ModelCard) -> tuple[LearntDay, ...]:
    """The days in order."""
    return tuple(
        LearntDay(day, ", ".join(f"{n} for {_USES.get(use, use)}" for use, n in sorted(uses.items())))
        for day, uses in sorted(card.data.by_day.items())
    )


def problems(artifacts: Artifacts) -> list[str]:
    """What of the registry cannot be read, each with its name."""
    cards = [artifacts.keys.model_card(version) for version in model_versions(artifacts.storage, artifacts.keys)]
    pointer = (artifacts.keys.champion, reader(ChampionPointer))
    found = artifacts.look_at_each([pointer, *((key, reader(ModelCard)) for key in cards)])
    return [str(one.problem) for one in found if one.problem]
