"""Real servers of the Open Inference Protocol v2, from PyPI, in environments of their own: MLServer and KServe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
from tests.model_servers.running import kserve, mlserver

from driftwatch.errors import NeedsAttention
from driftwatch.http import ServiceRefusedRequest
from driftwatch.models.predictors.endpoint.plan import DoesNotFit

from .conftest import ask, expected, facts_of, pictures, predictor_at

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """All of them, started at the same time."""
    from concurrent.futures import ThreadPoolExecutor

    starts = {
        "mlserver": mlserver(tmp_path_factory.mktemp("mlserver"), ("v1", "v2")),
        "kserve": kserve(tmp_path_factory.mktemp("kserve")),
    }
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        yield dict(zip(starts, pool.map(stack.enter_context, starts.values()), strict=True))


@pytest.mark.parametrize(
    ("name", "config", "version"),
    [
        ("mlserver", {}, "v2"),
        ("mlserver", {"version": "v1", "requests_at_once": 8, "images_per_request": 3}, "v1"),
        ("kserve", {}, "v0001-0a1b2c3d"),  # it tells no version
        ("kserve", {"binary": True, "requests_at_once": 8, "images_per_request": 3}, "v0001-0a1b2c3d"),
    ],
)
def test_each_image_has_the_servers_scores_and_the_version_that_it_tells(addresses, name, config, version):
    images = pictures(23)
    found = ask(predictor_at(addresses[name], **config), images, 7)
    np.testing.assert_allclose(found.scores, expected(images, version.removeprefix("v")), atol=1e-6)
    assert found.versions == [version] * 23


def test_half_precision_goes_as_bytes(addresses):
    images = pictures(5)
    found = ask(predictor_at(addresses["kserve"], model="colours_fp16", binary=True), images)
    np.testing.assert_allclose(found.scores, expected(images), atol=2e-3)
    with pytest.raises(DoesNotFit, match=r"'image' takes FP16, which has no JSON form: set model\.endpoint\.binary"):
        ask(predictor_at(addresses["kserve"], model="colours_fp16"), images)


@pytest.mark.parametrize("name", ["mlserver", "kserve"])
def test_a_model_that_the_server_does_not_have_is_named(addresses, name):
    with pytest.raises(
        ServiceRefusedRequest, match=r"404 to GET /v2/models/cats at http.*check model\.endpoint\.model 'cats'"
    ):
        ask(predictor_at(addresses[name], model="cats"), pictures(2))


@pytest.mark.parametrize("name", ["mlserver", "kserve"])
def test_another_layout_is_refused_with_both_shapes(addresses, name):
    other = predictor_at(addresses[name], facts=facts_of(layout="nchw"))
    with pytest.raises(
        NeedsAttention,
        match=r"takes \[-1, 16, 16, 3\], and model\.input makes \[n, 3, 16, 16\]: set model\.input\.layout to nhwc",
    ):
        ask(other, pictures(2))
