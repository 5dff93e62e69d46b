"""A stand-in of a model server over HTTP, whose model tells red, green and blue pictures apart, and predictors that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.credentials import Access
from driftwatch.models.predictors.base import Asked, Predictions
from driftwatch.models.predictors.endpoint.predictor import EndpointPredictor
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel
from driftwatch_servers.serving import running

SIDE = 16
CLASSES = ("red", "green", "blue")
VERSION = "v0001-0a1b2c3d"
TOKEN = "a-secret-token"


def colours(tensor: np.ndarray, version: str) -> np.ndarray:
    """Logits: a tenth of each colour's mean; a version `2` sees pictures twice as bright."""
    channels_last = tensor if tensor.shape[-1] == 3 else tensor.transpose(0, 2, 3, 1)
    return channels_last.astype(np.float64).mean(axis=(1, 2)) / 10 * (2 if version == "2" else 1)


def pictures(n: int) -> np.ndarray:
    """uint8 [n, SIDE, SIDE, 3]: red, green, blue, red, …, in noise."""
    found = np.random.default_rng(5).integers(0, 60, (n, SIDE, SIDE, 3))
    found[np.arange(n), :, :, np.arange(n) % 3] += 120
    return found.astype(np.uint8)


def expected(images: np.ndarray, version: str = "1") -> np.ndarray:
    """The scores that the pictures must get."""
    from scipy.special import softmax

    return softmax(colours(images, version), axis=1)


class Server:
    """The stand-in. `model` may be changed at will; each test begins with a new one."""

    def __init__(self, model: ServedModel, url: str) -> None:
        self.model, self.url = model, url
        self.http = httpx.Client(base_url=url, timeout=10, headers={"Authorization": f"Bearer {TOKEN}"})

    def reset(self) -> None:
        self.model.__init__("colours", (-1, SIDE, SIDE, 3), colours, outputs={"logits": "FP32"})  # type: ignore[misc]
        self.http.delete("/_sandbox/faults")
        self.http.delete("/_sandbox/requests")

    def fault(self, fault: str, path: str = "infer|predict", **more: Any) -> None:
        self.http.post("/_sandbox/faults", json={"fault": fault, "path_regex": path, **more}).raise_for_status()

    def asked(self) -> list[str]:
        """`METHOD path` of each request, in order."""
        return [f"{one['method']} {one['path']}" for one in self.http.get("/_sandbox/requests").json()]

    def predictor(self, protocol: str = "v2", **config: Any) -> EndpointPredictor:
        """One that asks it; see `predictor_at`."""
        return predictor_at(self.url, protocol, **config)


def facts_of(output: Any = "logits", name: str | None = None, **about: Any) -> ModelFacts:
    made = ModelInput(**{"height": SIDE, "width": SIDE, **about})
    return ModelFacts(VERSION, CLASSES, made, Head(output, name))


def predictor_at(url: str, protocol: str = "v2", token: str = TOKEN, **config: Any) -> EndpointPredictor:
    """`facts` and `extras` of `config` are other facts, and more extras of the connection; the rest is of `model.endpoint`."""
    facts, extras = config.pop("facts", facts_of()), config.pop("extras", {})
    access = Access("the Airflow connection colours", url, token, {"timeout": 5, **extras})
    section = {"connection": "colours", "protocol": protocol, "model": "colours", **config}
    return EndpointPredictor(facts, EndpointConfig.model_validate(section), access)


def ask(predictor: EndpointPredictor, images: np.ndarray, batch_size: int = 4, **asked: Any) -> Predictions:
    return predictor.predict(Asked([images], **asked), batch_size)


@pytest.fixture(scope="module")
def one_server() -> Iterator[Server]:
    model = ServedModel("colours", (-1, SIDE, SIDE, 3), colours)
    with running(create_app(model, TOKEN)) as url:
        server = Server(model, url)
        with server.http:
            yield server


@pytest.fixture
def server(one_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """It begins anew for each test, and pauses before a repeat are short."""
    one_server.reset()
    monkeypatch.setattr("driftwatch.http.transport._LONGEST_BACKOFF", 0.02)
    return one_server


@pytest.fixture(params=["v2", "tensorflow"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param
