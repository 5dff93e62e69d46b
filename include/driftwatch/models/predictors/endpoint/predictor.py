"""A registered version whose answers come from a model server: production's own, asked again for each image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftwatch.artifacts.base import from_bytes
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.served_model import ServedModel
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.config.model import ENDPOINT
from driftwatch.credentials import Access
from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.base import Asked, Predictions
from driftwatch.models.predictors.calibration import probabilities
from driftwatch.models.predictors.endpoint.link import Link
from driftwatch.models.predictors.endpoint.plan import Planner
from driftwatch.models.predictors.endpoint.served import Served
from driftwatch.models.predictors.endpoint.tensorflow import TensorFlow
from driftwatch.models.predictors.endpoint.v2 import V2
from driftwatch.models.predictors.from_images import ModelFacts, filled_up, refuse_other_size
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.registry import card, model_file, model_key

PROTOCOLS: dict[str, type[Served]] = {"v2": V2, "tensorflow": TensorFlow}
_NAMED = 3  # how many images a message names


@dataclass(frozen=True)
class EndpointPredictor:
    """`facts`: what the model is given and what its answers mean. What production answers stays as it is, so nothing is calibrated."""

    facts: ModelFacts
    config: EndpointConfig
    access: Access

    @property
    def who(self) -> str:
        """The model, for messages."""
        version = f" version {self.config.version}" if self.config.version else ""
        return f"the model {self.config.model!r}{version} at {self.access.address}"

    @property
    def input_size(self) -> tuple[int, int]:
        return self.facts.input.height, self.facts.input.width

    @property
    def classes(self) -> int:
        return len(self.facts.class_names)

    def predict(self, asked: Asked, batch_size: int) -> Predictions:
        """See `Predictor.predict`. A version that the server does not tell is the registry's."""
        raw, versions = self.answers(asked, batch_size)
        found = self.facts.head.log_scores(raw, self.facts.class_names, self.who)
        return Predictions(probabilities(found, 1.0), None, [version or self.facts.version for version in versions])

    def answers(self, asked: Asked, batch_size: int) -> tuple[np.ndarray, list[str | None]]:
        """Raw answers [n, columns], float64, and the version of each. No request goes beyond a block. Images are read as answers come
        in: a few requests of them are in memory."""
        parts: list[np.ndarray] = []
        versions: list[str | None] = []
        with Link(self.access, self.config) as link:
            served = self.opened(link)
            size = served.plan.images or min(batch_size, self.config.images_per_request)

            def ask(images: np.ndarray) -> tuple[np.ndarray, str | None]:
                answer = served.ask(filled_up(tensor_of(images, self.facts.input), served.plan.images))
                return answer.raw[: len(images)], answer.version

            for raw, version in link.in_order(self._cut(asked.blocks, size), ask):
                self._refuse_no_numbers(raw, len(versions), asked.image_ids)
                parts.append(raw)
                versions += [version] * len(raw)
        return self._joined(parts), versions

    def opened(self, link: Link) -> Served:
        """The model, after a look at what it takes and gives. Raises DoesNotFit, or ServiceError."""
        planner = Planner(self.who, self.config, self.facts.input, self.facts.head.name)
        served = PROTOCOLS[self.config.protocol](link, planner)
        served.open()
        return served

    def _cut(self, blocks: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
        for block in blocks:
            refuse_other_size(self.facts, block)
            for start in range(0, len(block), size):
                yield block[start : start + size]

    def _refuse_no_numbers(self, raw: np.ndarray, first: int, image_ids: Sequence[str] | None) -> None:
        wrong = np.flatnonzero(~np.isfinite(raw).all(axis=1))
        if len(wrong):
            places = wrong[:_NAMED] + first
            names = [str(place) if image_ids is None else image_ids[place] for place in places.tolist()]
            more = f" and {len(wrong) - len(names)} more" if len(wrong) > len(names) else ""
            raise NeedsAttention(
                f"{self.who} answers image {', '.join(names)}{more} with scores that are no numbers: look at model.input.scale, mean and "
                "std, and at the model"
            )

    def _joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        widths = {part.shape[1] for part in parts} or {self.facts.columns[0]}
        if len(widths) > 1:
            raise NeedsAttention(
                f"{self.who} answers some images with {min(widths)} numbers and others with {max(widths)}: two models share the name"
            )
        return np.concatenate([np.zeros((0, widths.pop())), *parts])


def load_endpoint(store: MonitorStore, version: str) -> EndpointPredictor:
    """Who answers by `model.endpoint`, as the card of `version` describes its input and its answers.

    Nothing is asked yet. Raises UnknownVersion, and NeedsAttention where the monitor file has no such section, or one for another model
    than was registered, or its connection is missing.
    """
    about = card(store, version)
    found = endpoint_predictor(store, ModelFacts(version, about.classes, about.model_input, _head(about, store.config)))
    if about.kind == ENDPOINT:
        data, _ = model_file(store, version)
        known = from_bytes(store.storage, model_key(store, about), data, ServedModel)
        _refuse_other_model(known, found, version)
    return found


def endpoint_predictor(store: MonitorStore, facts: ModelFacts) -> EndpointPredictor:
    """The same for a version that is not registered yet."""
    config = store.config.model.endpoint
    if config is None:
        raise NeedsAttention(
            f"{facts.version} is answered by a model server, and {store.config.name} has no section model.endpoint: put it back, or roll "
            "back to a version that has a file"
        )
    return EndpointPredictor(facts, config, store.access(config.connection, "model.endpoint.connection"))


def _refuse_other_model(known: ServedModel, found: EndpointPredictor, version: str) -> None:
    config = found.config
    if (known.protocol, known.model) != (config.protocol, config.model):
        raise NeedsAttention(
            f"{version} is the model {known.model!r} by {known.protocol}, and model.endpoint says {config.model!r} by {config.protocol}: put "
            "the monitor file back, or register the other model by `driftwatch champion import` with --replace"
        )


def _head(about: ModelCard, config: MonitorConfig) -> Head:
    """What the server's answers mean. Beside a card of a file, the monitor file says it where it says more than `auto`."""
    said = config.model
    if about.kind == ENDPOINT:
        return Head.of(about)
    if said.output == "auto":
        return Head(about.output, said.output_name, about.positive_class)
    return Head(said.output, said.output_name, said.positive_class)
