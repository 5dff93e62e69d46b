"""The registry and the retrainings: which version serves, what each retraining came to, and which model is waited for."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from driftwatch.artifacts.days import stored_retrainings
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.retraining import DatasetCard, GateResult
from driftwatch.errors import DamagedArtifact
from driftwatch.models.pending import pending
from driftwatch.view.artifacts import Artifacts

logger = logging.getLogger(__name__)
HANDED_OVER = "handed_over"


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
