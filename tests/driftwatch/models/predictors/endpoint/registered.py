"""A registered version whose answers come from a server: a tenth of each colour's mean as logits, and no embedding."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache

from tests.cards import model_card

from driftwatch.artifacts.served_model import ServedModel
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.credentials import Access
from driftwatch.models import registry
from driftwatch.models.predictors.base import Predictor, predictor
from driftwatch.storage.formats import json_bytes
from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel as Serving
from driftwatch_servers.serving import running

SIDE = 16


def registered_endpoint(store: MonitorStore) -> Predictor:
    endpoint = EndpointConfig(connection="models", model="colours", images_per_request=3)
    config = store.config.model_copy(update={"model": store.config.model.model_copy(update={"endpoint": endpoint})})
    store = MonitorStore(store.storage, config, lambda connection, needed_by: Access(connection, _server(), ""))
    data = json_bytes(ServedModel(protocol="v2", model="colours", address="http://models", versions=()).stored())
    classes = ["red", "green", "blue"]
    card = model_card(kind="endpoint", classes=classes, input_size=SIDE, output="logits", temperature=1.0)
    found = registry.register(store, registry.version_for(store, data), data, card)
    return predictor(store, found.version)


@cache
def _server() -> str:
    """Started once, and ended with the tests' process."""
    model = Serving("colours", (-1, SIDE, SIDE, 3), lambda tensor, version: tensor.mean(axis=(1, 2)) / 10)
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running(create_app(model)))
