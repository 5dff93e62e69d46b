"""How far an MLflow registry shows the versions, for people: the page of the models, tasks' logs, the command line."""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.config import MonitorConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.view.artifacts import Artifacts


@dataclass(frozen=True)
class MlflowNote:
    """One sentence or more. `wrong`: whether somebody should look."""

    text: str
    wrong: bool


def mlflow_notes(record: MlflowRecord | None, config: MonitorConfig) -> list[MlflowNote]:
    """What there is to say of registry.mlflow; nothing where the monitor has none."""
    settings = config.registry.mlflow
    if settings is None:
        return []
    if record is None or record.model != (settings.model or config.name):
        return [MlflowNote("MLflow has not been called yet. The daily run does that.", False)]
    notes = []
    if record.problem:
        notes.append(
            MlflowNote(
                f"MLflow does not show everything yet: {record.problem}. No day and no promotion waits for it, and the next call catches up.",
                True,
            )
        )
    if record.moved:
        notes.append(MlflowNote(_moved(record.moved, record.model, config), True))
    if not notes:
        there = f"; its alias champion stands at version {record.shown[record.champion]}" if record.champion else ""
        count = f"{len(record.shown)} version{'' if len(record.shown) == 1 else 's'}"
        notes.append(MlflowNote(f"MLflow's registered model {record.model} shows {count}{there}.", False))
    return notes


def mlflow_of(artifacts: Artifacts) -> list[MlflowNote]:
    """The same for the page, from what the last call left."""
    if artifacts.config.registry.mlflow is None:
        return []
    try:
        return mlflow_notes(artifacts.find(artifacts.keys.mlflow, MlflowRecord), artifacts.config)
    except (DamagedArtifact, PermissionError) as error:
        return [MlflowNote(str(error), True)]


def shows(found: MovedAlias) -> str:
    """What the version that the alias stands at is here."""
    return f"which shows {found.version}" if found.version else "which is none of Driftwatch's"


def to_follow(found: MovedAlias, model: str, file: str, dag: str) -> str:
    """How Driftwatch's champion follows the alias. `file`: the monitor file; `dag`: the retraining DAG."""
    there = f"models:/{model}/{found.stands_at}"
    if found.version:
        return (
            f"If {found.version} was champion before, `driftwatch champion rollback {file} --to {found.version}` follows. Else trigger {dag}: "
            "its gate decides"
        )
    return (
        f"`driftwatch challenger register {file} {there} --run RUN_KEY` brings it to the gate, and `driftwatch champion import {file} {there} "
        "--replace` makes it the champion without one"
    )


def _moved(found: MovedAlias, model: str, config: MonitorConfig) -> str:
    follow = to_follow(found, model, f"{config.name}.yaml", config.retraining_dag_id)
    return (
        f"MLflow's alias champion of {model} stands at version {found.stands_at}, {shows(found)}. Somebody put it there, and Driftwatch's "
        f"champion is still {found.found_at}. {follow}. The next promotion or rollback here moves the alias to its champion."
    )
