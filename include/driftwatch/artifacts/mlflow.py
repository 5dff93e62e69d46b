"""What Driftwatch has done in an MLflow registry, as of its last call there."""

from __future__ import annotations

from driftwatch.artifacts.base import Artifact, Part


class MovedAlias(Part):
    """The alias champion there stands at another version than Driftwatch's champion, and not by Driftwatch."""

    stands_at: str
    """The version there, as MLflow numbers it."""
    version: str | None
    """The version of Driftwatch's registry that it shows; null for one that did not come from there."""
    found_at: str
    """What Driftwatch's champion was then."""


class MlflowRecord(Artifact):
    """models/mlflow.json: how far MLflow shows what the registry has."""

    model: str
    """The registered model's name there."""
    shown: dict[str, str]
    """MLflow's number of each version that is shown."""
    champion: str | None = None
    """The champion for which the alias was last decided. While it serves, an alias that somebody moves is left alone."""
    moved: MovedAlias | None = None
    """An alias that somebody moved; null where it stands at the champion."""
    problem: str | None = None
    """Why the last call did not get through; null where it did."""
