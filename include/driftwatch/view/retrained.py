"""What the alert of a day led to: no retraining and why, or one that runs, waits, failed, was refused by the gate, or was promoted.

The pages, the report and the command line say it with these words. It is read from what the retraining left in the storage, so it holds
without Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, TypeVar

from driftwatch.artifacts.days import stored_retrainings
from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, GATE
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX, CHALLENGER_RUN_PREFIX, OutboxKeys
from driftwatch.artifacts.publishing import OutboxAlert
from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard, GateResult, RetrainingRequest
from driftwatch.errors import DamagedArtifact
from driftwatch.models.requests import alert_day
from driftwatch.view import tones

if TYPE_CHECKING:
    from driftwatch.artifacts.base import Artifact
    from driftwatch.view.artifacts import Artifacts

    A = TypeVar("A", bound=Artifact)

State = Literal[
    "held",
    "asked_for",
    "training",
    "comparing",
    "handed_over",
    "brought",
    "failed",
    "refused",
    "too_little_evidence",
    "passed",
    "promoted",
    "replaced",
]
_TONES: dict[State, str] = {
    "held": tones.WARN,
    "failed": tones.BAD,
    "refused": tones.WARN,
    "too_little_evidence": tones.UNSURE,
    "passed": tones.WARN,
    "promoted": tones.GOOD,
    "replaced": tones.WARN,
}


@dataclass(frozen=True)
class Outcome:
    """What an alert led to. `said`: in one sentence; `reasons`: why the gate decided as it did. `run_id`: the run of the retraining DAG, and
    `version` the challenger; None where there is none. `accepted`: whether its days count as usual since."""

    state: State
    said: str
    run_id: str | None = None
    version: str | None = None
    reasons: tuple[str, ...] = ()
    accepted: bool = False

    @property
    def tone(self) -> str:
        return _TONES.get(self.state, tones.WAITING)


def of_alert(artifacts: Artifacts, day: date) -> Outcome | None:
    """What the day's alert led to, or the comparison by its labels of a challenger that waits; None for a day that started neither. What cannot
    be read is as if it were not there: the models page names it."""
    decision = _find(artifacts, artifacts.keys.day(day).decision, RetrainingDecision)
    run = decision.run_id if decision else None
    if run is None and _exists(artifacts, f"{ALERT_RUN_PREFIX}{day}"):  # a day that an early Driftwatch judged
        run = f"{ALERT_RUN_PREFIX}{day}"
    if run is not None:
        return _of_run(artifacts, run, day)
    if decision is None or decision.verdict != "alert":
        return None
    joined = _joined(artifacts, day)
    held = f"The alert started no retraining: {decision.held}."
    if joined is None:
        before = _before(artifacts, day)
        return replace(before, state="held", said=f"{held} {before.said}") if before else Outcome("held", held)
    return Outcome(
        joined.state, f"{held} {joined.said}", joined.run_id, joined.version, joined.reasons, joined.accepted
    )


def _joined(artifacts: Artifacts, day: date) -> Outcome | None:
    """What became of the retraining under way that the day's alert was attached to."""
    request = _find(artifacts, artifacts.keys.active_retraining, RetrainingRequest)
    if request is None or not artifacts.storage.exists(
        artifacts.keys.of_retraining(request.run_key).attached_alert(day)
    ):
        return None
    return _of_run(artifacts, request.run_id, day)


def _before(artifacts: Artifacts, day: date) -> Outcome | None:
    """What the newest retraining of an earlier alert came to: it is what a cooldown speaks of."""
    days = [alert_day(name) for name in stored_retrainings(artifacts.storage, artifacts.keys)]
    earlier = max((other for other in days if other is not None and other < day), default=None)
    return _of_run(artifacts, f"{ALERT_RUN_PREFIX}{earlier}", earlier) if earlier else None


def _of_run(artifacts: Artifacts, run: str, day: date) -> Outcome:
    keys = artifacts.keys
    gate = _find(artifacts, keys.retraining(run, GATE), GateResult) or _of_the_team(artifacts, run)
    if gate is not None and gate.decision != "promote":
        return _kept(run, gate)
    pointer = _find(artifacts, keys.champion, ChampionPointer)
    if gate is not None and pointer is not None and gate.version in pointer.champions:
        return _promoted(artifacts, run, gate, pointer, day)
    failed = _find(artifacts, OutboxKeys(keys.of_retraining(run).outbox).alert("retraining_failed"), OutboxAlert)
    if failed is not None:
        return Outcome("failed", f"The retraining {run} failed: {_reason(failed)}. The champion serves as before.", run)
    if gate is not None:
        said = f"{_made(run, gate)}, which passed the gate. It is not the champion: {_passed(artifacts)}."
        return Outcome("passed", said, _compared_in(run, gate), gate.version, gate.reasons)
    return _under_way(artifacts, run)


def _of_the_team(artifacts: Artifacts, run: str) -> GateResult | None:
    """What the gate found of the model that a team brought for a set that was handed over, in a run of its own: of the newest one, unless
    another of them was promoted."""
    note = _find(artifacts, artifacts.keys.retraining(run, CHALLENGER), ChallengerNote)
    if note is None or not artifacts.storage.exists(artifacts.keys.of_retraining(run).handover.manifest):
        return None
    pointer = _find(artifacts, artifacts.keys.champion, ChampionPointer)
    for version in (*reversed(pointer.champions if pointer else ()), note.version):
        card = _find(artifacts, artifacts.keys.model_card(version), ModelCard)
        if card is not None and card.data.run_key == run and (card.gate or version == note.version):
            return card.gate
    return None


def _made(run: str, gate: GateResult) -> str:
    """A run for a challenger that waits trains none: its first comparison was another run's. A team's model is compared in a run of its own."""
    if gate.run_key.startswith(CHALLENGER_RUN_PREFIX):
        return f"For the retraining {run} the team brought {gate.version}"
    again = bool(gate.looks) and gate.looks[0].run_key != gate.looks[-1].run_key
    return (
        f"The retraining {run} compared {gate.version} again" if again else f"The retraining {run} made {gate.version}"
    )


def _compared_in(run: str, gate: GateResult) -> str:
    """The run that compared it: its own, of a model that a team brought."""
    return gate.run_key if gate.run_key.startswith(CHALLENGER_RUN_PREFIX) else run


def _kept(run: str, gate: GateResult) -> Outcome:
    if gate.decision == "keep":
        said = f"{_made(run, gate)}. The gate refused it, and {gate.champion} serves as before."
        return Outcome("refused", said, _compared_in(run, gate), gate.version, gate.reasons)
    more = " It waits for the labels of more days." if gate.looks_left else ""
    said = f"{_made(run, gate)}. There was not enough evidence that it is better, and {gate.champion} serves as before.{more}"
    return Outcome("too_little_evidence", said, _compared_in(run, gate), gate.version, gate.reasons)


def _promoted(artifacts: Artifacts, run: str, gate: GateResult, pointer: ChampionPointer, day: date) -> Outcome:
    from driftwatch.drift.states import accepted_states

    said = f"{_made(run, gate)}, which passed the gate and was promoted instead of {gate.champion}."
    if pointer.version != gate.version:
        return Outcome(
            "replaced",
            f"{said} Since then {pointer.version} took its place.",
            _compared_in(run, gate),
            gate.version,
            gate.reasons,
        )
    try:
        accepted = any(state.counts and day in state.days for state in accepted_states(artifacts.store))
    except (DamagedArtifact, PermissionError):
        accepted = False
    more = f" Days like {day} are usual since then." if accepted else ""
    return Outcome(
        "promoted", f"{said} It serves now.{more}", _compared_in(run, gate), gate.version, gate.reasons, accepted
    )


def _passed(artifacts: Artifacts) -> str:
    if artifacts.config.retraining.promotion == "never":
        return "retraining.promotion is never"
    if artifacts.config.retraining.promotion == "approval":
        return "a person has to approve it, in the run's task approve_promotion, or has declined"
    return "promote_model has not ended"


def _under_way(artifacts: Artifacts, run: str) -> Outcome:
    keys = artifacts.keys
    handed = _find(artifacts, keys.of_retraining(run).handover.manifest, Handover)
    if note := _find(artifacts, keys.retraining(run, CHALLENGER), ChallengerNote):
        if handed:
            return _brought(artifacts, run, handed, note.version)
        has = "takes up" if note.after else "has made"
        said = f"The retraining {run} {has} {note.version}. It is being compared with the champion."
        return Outcome("comparing", said, run, note.version)
    if handed:
        said = f"The retraining {run} handed a set of {handed.set.rows:,} images over to the team."
        if newer := _newer(artifacts, handed):
            return Outcome("replaced", f"{said} Since then {newer} became the champion.", run)
        return Outcome("handed_over", f"{said} Its model is waited for.", run)
    if card := _find(artifacts, keys.retraining(run, DATASET_CARD), DatasetCard):
        said = (
            f"The retraining {run} trains on {card.images:,} images, {card.new_labels:,} of them with people's labels."
        )
        return Outcome("training", said, run)
    return Outcome("asked_for", f"The retraining {run} was asked for. It has not collected its training set yet.", run)


def _brought(artifacts: Artifacts, run: str, handed: Handover, version: str) -> Outcome:
    """The team's model, before the gate has judged it."""
    said, own = f"For the retraining {run} the team brought {version}.", f"{CHALLENGER_RUN_PREFIX}{version}"
    if artifacts.storage.exists(artifacts.keys.retraining(own, CHALLENGER)):
        return Outcome("comparing", f"{said} It is being compared with the champion.", own, version)
    newer = _newer(artifacts, handed)
    meanwhile = f", and {newer} became the champion meanwhile" if newer else ""
    return Outcome("brought", f"{said} Its comparison, run {own}, has not begun{meanwhile}.", run, version)


def _newer(artifacts: Artifacts, handed: Handover) -> str | None:
    """The champion, if it is another one than at the hand-over."""
    pointer = _find(artifacts, artifacts.keys.champion, ChampionPointer)
    return pointer.version if pointer and pointer.version != handed.champion else None


def _reason(failed: OutboxAlert) -> str:
    """What the alert's message says in its line `reason`."""
    lines = [line.strip() for line in failed.message.splitlines()]
    found = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    return f"{found.get('failed', 'a task')}, {found.get('reason', 'see its log')}".rstrip(".")


def _exists(artifacts: Artifacts, run: str) -> bool:
    names = (DATASET_CARD, GATE)
    return any(artifacts.storage.exists(artifacts.keys.retraining(run, name)) for name in names)


def _find(artifacts: Artifacts, key: str, kind: type[A]) -> A | None:
    try:
        return artifacts.find(key, kind)
    except (DamagedArtifact, PermissionError):
        return None
