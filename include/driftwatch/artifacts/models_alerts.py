"""The alerts about the models, whichever run found them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.alerts import Alert, News

if TYPE_CHECKING:
    from driftwatch.artifacts.mlflow import MovedAlias


@dataclass(frozen=True)
class ModelsAlert(Alert):
    """What an alert about the models is about, whichever run found it."""


@dataclass(frozen=True)
class MlflowAliasMoved(ModelsAlert):
    """Somebody moved the alias champion in MLflow. `model`: the registered model there. `number`: MLflow's number of the version that shows
    Driftwatch's champion."""

    kind = "mlflow_alias_moved"
    source = "mlflow_alias"

    model: str
    number: str
    moved: MovedAlias

    @property
    def news(self) -> News:
        return {"model": self.model, "from": self.number, "to": self.moved.stands_at}
