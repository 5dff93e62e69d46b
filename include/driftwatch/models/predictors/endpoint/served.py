"""What every protocol does: it opens a model and asks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftwatch.http import ServiceError
from driftwatch.models.predictors.endpoint.link import Link
from driftwatch.models.predictors.endpoint.plan import Plan, Planner


@dataclass(frozen=True)
class Answer:
    """`raw` [n, columns], float64: the scores of a request's images. `version`: which one gave them; None where the server does not say."""

    raw: np.ndarray
    version: str | None


class Served(ABC):
    """One model of one server. `open` comes first."""

    plan: Plan

    def __init__(self, link: Link, planner: Planner) -> None:
        self.link, self.planner, self.config = link, planner, link.config

    @abstractmethod
    def open(self) -> None:
        """Asks what the model takes and gives, and makes the plan. Raises DoesNotFit, or ServiceError where it is not ready."""

    @abstractmethod
    def ask(self, tensor: np.ndarray) -> Answer:
        """The answer to one request. Safe to call from many threads."""


def rows(data: Any, images: int, who: str, shape: Sequence[int] = ()) -> np.ndarray:
    """The scores as float64 [images, columns]; null is NaN. Raises ServiceError for what is no table of so many rows."""
    try:
        found = np.asarray(data, np.float64)
        found = found.reshape(shape) if shape else found
    except (TypeError, ValueError) as error:
        raise ServiceError(f"{who} answered {images} images with what is no table of numbers ({error})") from error
    if found.ndim == 0 or len(found) != images:
        raise ServiceError(f"{who} was asked for {images} images and answered {list(found.shape)}")
    return found.reshape(images, -1) if images else found.reshape(0, found.shape[-1] if found.ndim > 1 else 1)


def picked(found: Mapping[str, Any], wanted: str | None, who: str) -> Any:
    """The output of that name; the only one where none is named. Raises ServiceError."""
    if wanted is None and len(found) == 1:
        return next(iter(found.values()))
    if wanted is None or wanted not in found:
        names = ", ".join(found) or "nothing"
        missing = f"not the output {wanted!r}" if wanted else "and model.output_name names none of them"
        raise ServiceError(f"{who} answered {names}, {missing}: set model.output_name")
    return found[wanted]
