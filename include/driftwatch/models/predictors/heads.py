"""What a model's answers mean: one number for each class or one for two, chances or log odds. All become log scores [n, classes], whose
softmax are the probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from driftwatch.artifacts.models import ModelCard, Output
from driftwatch.config.model import ModelConfig
from driftwatch.errors import NeedsAttention

ONE_NUMBER = ("sigmoid", "logit")
_LOG_ODDS = ("logits", "logit")
_LEAST = 1e-12
# A sum of float16 chances may miss 1 by that much.
_NEAR_ONE = 5e-3


@dataclass(frozen=True)
class Head:
    """`output`: as `model.output` of the monitor file says; None where it is to be told from the answers. `name`: the output that has
    the answers, of a model that has several. `positive_class`: for sigmoid and logit, the class whose chance the one number tells; None:
    the second."""

    output: Output | None
    name: str | None = None
    positive_class: str | None = None

    @classmethod
    def of(cls, card: ModelCard) -> Head:
        return cls(card.output, card.output_name, card.positive_class)

    @classmethod
    def expected(cls, config: ModelConfig) -> Head:
        """The head that the monitor file describes."""
        return cls(None if config.output == "auto" else config.output, config.output_name, config.positive_class)

    @property
    def known(self) -> Output:
        assert self.output is not None, "it was not told yet"
        return self.output

    def columns(self, classes: Sequence[str]) -> tuple[int, ...]:
        """How many numbers the model may give for an image."""
        if self.output is None and len(classes) == 2:
            return (2, 1)
        return (1,) if self.output in ONE_NUMBER else (len(classes),)

    def told(self, raw: np.ndarray, classes: Sequence[str], who: str) -> Head:
        """The head with its `output`, as the raw answers [n, columns] on some images tell it, and with its `positive_class`.

        Raises NeedsAttention where they do not tell, or do not fit.
        """
        self._refuse_other_shape(raw, classes, who)
        if self.output == "logits" and _sums_to_one(raw.astype(np.float64)):
            raise NeedsAttention(
                f"{who} answers {len(raw)} images with numbers of 0 to 1 that sum to 1, so with chances, and model.output is logits: set it to "
                "probabilities (or leave it out) if that is what production gives, or export the model without its last softmax"
            )
        found = replace(self, output=self.output or _told(raw.astype(np.float64), who))
        if found.output not in ONE_NUMBER:
            return replace(found, positive_class=None)
        return replace(found, positive_class=self.positive_class or classes[1])

    def log_scores(self, raw: np.ndarray, classes: Sequence[str], who: str) -> np.ndarray:
        """Logarithms of the scores, float64 [n, classes], up to a constant for each image, of raw answers [n, columns].

        `who` names the model in the error. Chances that need not sum to 1 (sigmoids) are seen in proportion to each other. Raises
        NeedsAttention for an answer of another shape, or one that is no number.
        """
        self._refuse_other_shape(raw, classes, who)
        raw = raw.astype(np.float64)
        self._refuse_no_numbers(raw, who)
        self._refuse_no_chances(raw, who)
        if self.output == "logits":
            return raw
        if self.output == "logit":
            return self._two(-np.logaddexp(0, raw), -np.logaddexp(0, -raw), classes)
        if self.output == "sigmoid":
            return self._two(_log(1 - raw), _log(raw), classes)
        return _log(raw)

    def _refuse_no_numbers(self, raw: np.ndarray, who: str) -> None:
        """Of log odds the largest must be finite: no chances can be made of others, as where float16 was too small for them. One that is -inf
        is a class that is ruled out."""
        wrong = np.isnan(raw).any(axis=1)
        if self.output == "logits":
            wrong |= ~np.isfinite(raw.max(axis=1))
        if wrong.any():
            raise NeedsAttention(
                f"{who} answers {int(wrong.sum())} of {len(raw)} images with NaN or infinite numbers: look at model.input.scale, mean and std, "
                "and at the model"
            )

    def _refuse_no_chances(self, raw: np.ndarray, who: str) -> None:
        """Another version of a served model may have lost its last layer: its log odds must not be taken for chances."""
        if self.output in _LOG_ODDS or not raw.size:
            return
        low, high = float(raw.min()), float(raw.max())
        if low < -_NEAR_ONE or high > 1 + _NEAR_ONE:
            raise NeedsAttention(
                f"{who} answers with numbers from {low:.4g} to {high:.4g}, and its output is known as {self.output or 'auto'}, chances of "
                "0 to 1: set model.output to logits or logit and import it anew, or put the model back that was registered"
            )

    def _two(self, negative: np.ndarray, positive: np.ndarray, classes: Sequence[str]) -> np.ndarray:
        """The two columns, the positive class's in its place."""
        first = self.positive_class == classes[0]
        return np.concatenate([positive, negative] if first else [negative, positive], axis=1)

    def _refuse_other_shape(self, raw: np.ndarray, classes: Sequence[str], who: str) -> None:
        columns = self.columns(classes)
        if raw.ndim != 2 or raw.shape[1] not in columns:
            expected = " or ".join(f"[n, {number}]" for number in columns)
            raise NeedsAttention(
                f"{who} gives {list(raw.shape)}, and model.output {self.output or 'auto'} of {len(classes)} classes is {expected}: set "
                "model.output, or model.output_name if another of its outputs has the answers"
            )


def _told(raw: np.ndarray, who: str) -> Output:
    chances = bool(((raw >= 0) & (raw <= 1)).all())
    if raw.shape[1] == 1:
        return "sigmoid" if chances else "logit"
    if not chances:
        return "logits"
    if _sums_to_one(raw):
        return "probabilities"
    raise NeedsAttention(
        f"{who} answers {len(raw)} images with numbers in 0..1 that do not sum to 1, so model.output cannot be told: set it to sigmoids "
        "(one chance for each class) or to logits"
    )


def _sums_to_one(raw: np.ndarray) -> bool:
    """Whether each image's answers are chances that exclude each other. Log odds are so by no chance, of more than one class."""
    inside = bool(((raw >= 0) & (raw <= 1)).all())
    return inside and bool(np.allclose(raw.sum(axis=1), 1, atol=_NEAR_ONE))


def _log(chances: np.ndarray) -> np.ndarray:
    logarithms: np.ndarray = np.log(np.clip(chances, _LEAST, 1.0))
    return logarithms
