"""What the predictors have in common that run a model on images: blocks are cut into batches, made into tensors, and the raw answers
are made into scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.predictors.base import Asked, Predictions
from driftwatch.models.predictors.calibration import probabilities
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.tensors import tensor_of

# Raw answers [n, columns] and embeddings [n, width], or None, of one batch: a float32 tensor.
Run = Callable[[np.ndarray], tuple[np.ndarray, "np.ndarray | None"]]

# A batch has no more pixels than 256 images of 96 x 96 have. What a network keeps of its batch grows with the pixels: at 224 x 224 it is
# some GB for 256 images, and larger batches are no faster.
MOST_PIXELS = 256 * 96 * 96


@dataclass(frozen=True)
class ModelFacts:
    """What must be known of a model to ask it. The fields are those of ModelCard."""

    version: str
    class_names: tuple[str, ...]
    input: ModelInput
    head: Head
    temperature: float = 1.0

    @classmethod
    def of(cls, card: ModelCard) -> ModelFacts:
        return cls(card.version, card.classes, card.model_input, Head.of(card), card.temperature)

    @property
    def columns(self) -> tuple[int, ...]:
        """How many numbers the model may give for an image."""
        return self.head.columns(self.class_names)


@dataclass(frozen=True)
class ImagePredictor(ABC):
    """A model that looks at images. `facts` says what it is given and what its answers mean."""

    facts: ModelFacts

    @abstractmethod
    def runner(self, batch_size: int) -> tuple[Run, int]:
        """How a batch is run, and how many images each batch has; the last one is filled up with zeros. 0: batches of any number up
        to `batch_size`, not filled up."""

    @property
    def input_size(self) -> tuple[int, int]:
        about = self.facts.input
        return about.height, about.width

    @property
    def classes(self) -> int:
        return len(self.facts.class_names)

    def predict(self, asked: Asked, batch_size: int) -> Predictions:
        """See `Predictor.predict`. One pass gives scores and embeddings."""
        found, embeddings = self.log_scores(asked.blocks, batch_size)
        return Predictions(probabilities(found, self.facts.temperature), embeddings, [self.facts.version] * len(found))

    def log_scores(
        self, blocks: Iterable[np.ndarray], batch_size: int, about: ModelInput | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The logarithms of the scores before calibration, as `Head.log_scores` gives them, and the embeddings, float16 [n, width].
        `about`: the input to be tried in place of the model's."""
        raw, hidden = self.raw(blocks, batch_size, about)
        return self.facts.head.log_scores(raw, self.facts.class_names, f"model {self.facts.version}"), hidden

    def raw(
        self, blocks: Iterable[np.ndarray], batch_size: int, about: ModelInput | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The answers as the model gives them, [n, columns], and the embeddings. No batch goes beyond a block, or has more than
        MOST_PIXELS."""
        about = about or self.facts.input
        height, width = self.input_size
        most = min(batch_size, max(1, MOST_PIXELS // (height * width)))
        run, filled = self.runner(most)
        step = filled or most
        parts = []
        for block in blocks:
            refuse_other_size(self.facts, block)
            for start in range(0, len(block), step):
                batch = tensor_of(block[start : start + step], about)
                parts.append(_short(run(filled_up(batch, filled)), len(batch)))
        if not parts:  # one empty batch says how wide the answers are
            parts = [_short(run(np.zeros((step, *about.shape), np.float32)), 0)]
        answers, hidden = zip(*parts, strict=True)
        return np.concatenate(answers), None if any(part is None for part in hidden) else np.concatenate(hidden)


def refuse_other_size(facts: ModelFacts, images: np.ndarray) -> None:
    """Raises NeedsAttention for images that are not of the size that the model takes."""
    height, width = facts.input.height, facts.input.width
    if images.shape[1:] != (height, width, 3):
        raise NeedsAttention(
            f"model {facts.version} takes images of [{height}, {width}, 3], these are {list(images.shape[1:])}: set "
            f"model.input.size to [{height}, {width}] and take the images in again"
        )


P = TypeVar("P", bound=ImagePredictor)


def load_registered(store: MonitorStore, version: str, opened: Callable[[bytes, ModelFacts, str], P]) -> P:
    """The version's model. First its file's sha256 is compared with the card's; for the champion, also with the pointer's. Then `opened`
    makes the predictor of the bytes, of what is known of the model, and of the file's address for errors."""
    data, card = registry.model_file(store, version)
    return opened(data, ModelFacts.of(card), store.storage.url(registry.model_key(store, card)))


def filled_up(batch: np.ndarray, images: int) -> np.ndarray:
    """The batch with zeros up to that many images."""
    missing = max(0, images - len(batch))
    return np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)]) if missing else batch


def _short(found: tuple[np.ndarray, np.ndarray | None], images: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The answers of the first images, and their embeddings in float16. A hidden layer with another number of rows than there are answers, such
    as one for each crop of an image, tells nothing of single images: it is no embedding."""
    raw, hidden = found
    if hidden is not None and len(hidden) != len(raw):
        hidden = None
    limit = np.finfo("float16").max
    return raw[:images], None if hidden is None else np.clip(hidden[:images], -limit, limit).astype("float16")
