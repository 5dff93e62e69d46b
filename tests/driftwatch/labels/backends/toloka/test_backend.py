"""What is Toloka's own in its backend: its platforms, its remedies, and that a lost lock stops its requests."""

from __future__ import annotations

import json

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.credentials import Access
from driftwatch.errors import AccessRefused
from driftwatch.labels.backends.base import AT_DEADLINE
from driftwatch.labels.backends.toloka.backend import TolokaBackend

from ....artifacts import samples

PLAN = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN)).model_copy(
    update={"project_id": "p", "pool_id": "7"}
)


def backend(address: str, **extras: str) -> TolokaBackend:
    return TolokaBackend(lambda: Access("the Airflow connection toloka_default", address, "a-token", extras))


@pytest.mark.parametrize(
    ("address", "platform"),
    [
        ("", "https://platform.toloka.ai"),
        ("https://toloka.dev", "https://platform.toloka.ai"),
        ("https://sandbox.toloka.dev", "https://sandbox.toloka.yandex.com"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
    ],
)
def test_the_page_of_a_pool_is_on_the_platform_that_belongs_to_the_api(address, platform):
    assert backend(address).page(PLAN) == f"{platform}/requester/project/p/pool/7"


def test_a_platform_that_the_connection_names_comes_first():
    assert backend("", platform_url="https://ours/").page(PLAN) == "https://ours/requester/project/p/pool/7"


def test_a_token_that_cannot_be_sent_names_the_connection():
    empty = TolokaBackend(lambda: Access("the Airflow connection toloka_default", "", " "))
    with pytest.raises(AccessRefused, match="toloka_default is empty"):
        _ = empty.client


def test_early_ends_have_remedies_of_their_own():
    found = backend("")
    assert found.remedy("EXPIRED") == found.remedy(AT_DEADLINE)
    assert "hours for which its image links outlive it" in found.remedy("EXPIRED")
    assert found.remedy("NOT_ENOUGH_BALANCE") == "top up the Toloka account"
    assert found.remedy("another") == "see the pool in Toloka"
