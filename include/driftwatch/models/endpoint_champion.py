"""Production's own model, behind a model server, as the first champion: it is asked what it answers to the training images."""

from __future__ import annotations

from functools import partial

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.served_model import ServedModel
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.model import ENDPOINT
from driftwatch.models.cards import register_trained
from driftwatch.models.champion import brought, telling
from driftwatch.models.predictors.base import Asked
from driftwatch.models.predictors.endpoint.link import Link
from driftwatch.models.predictors.endpoint.plan import Plan
from driftwatch.models.predictors.endpoint.predictor import EndpointPredictor, endpoint_predictor
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.training.base import Trained
from driftwatch.storage.formats import json_bytes


def import_endpoint(store: MonitorStore) -> str:
    """Registers the model that `model.endpoint` names and returns its version. It is not promoted yet.

    Its file says which model it is. Its holdout metrics are those of the server's answers. Raises DoesNotFit, NeedsAttention or
    ServiceError.
    """
    asked = _described(store)
    images, unlearnt, origin = brought(store, asked.who)
    raw, versions = asked.answers(Asked([telling(images)]), store.config.model.batch_size)
    head = asked.facts.head.told(raw, store.config.classes, asked.who)
    served = ServedModel(
        protocol=asked.config.protocol,
        model=asked.config.model,
        address=asked.access.address,
        versions=tuple(sorted({version for version in versions if version})),
    )
    trained = Trained(json_bytes(served.stored()), head, kind=ENDPOINT, input=asked.facts.input)
    return register_trained(store, trained, unlearnt, origin, partial(endpoint_predictor, store))


def look_at_endpoint(store: MonitorStore) -> tuple[str, Plan]:
    """The model's name for messages, and how it will be asked. It is asked for what it takes and gives alone. Raises as `import_endpoint`
    does."""
    found = _described(store)
    with Link(found.access, found.config) as link:
        return found.who, found.opened(link).plan


def _described(store: MonitorStore) -> EndpointPredictor:
    """The server's model, as the monitor file describes it."""
    config = store.config
    about = ModelFacts(config.name, config.classes, ModelInput.of(config.model.input), Head.expected(config.model))
    return endpoint_predictor(store, about)
