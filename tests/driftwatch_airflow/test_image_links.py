"""Who signs the links to images."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.labels.links import LinkSigners
from driftwatch_airflow.image_links import image_server, link_signers


@pytest.fixture
def connect(monkeypatch):
    def set_(name: str, **fields: object) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))

    return set_


def test_an_image_server_needs_an_address_and_a_secret(connect):
    monitor = SimpleNamespace(
        storage=SimpleNamespace(uri="file:///tmp/x"), labels=SimpleNamespace(image_links="driftwatch_images")
    )
    connect("driftwatch_images", conn_type="http", host="http://127.0.0.1:1", password="secret-word\n")
    assert image_server(monitor).secret == "secret-word"
    assert link_signers(monitor) == LinkSigners(image_server(monitor))
    connect("driftwatch_images", conn_type="http", host="http://127.0.0.1:1")
    with pytest.raises(AccessRefused, match="secret of the image server"):
        image_server(monitor)
    connect("driftwatch_images", conn_type="http", password="secret-word")
    with pytest.raises(NeedsAttention, match="address"):
        image_server(monitor)


@pytest.mark.parametrize(
    ("uri", "kind"), [("s3://b/x", "aws"), ("gs://b/x", "google_cloud_platform"), ("az://c/x", "wasb")]
)
def test_who_signs_links_of_an_object_store_is_of_its_own_type_of_connection(monitor, monkeypatch, uri, kind):
    """Another type is refused with the one that is allowed."""
    stored, labels = (
        monitor.storage.model_copy(update={"uri": uri}),
        monitor.labels.model_copy(update={"image_links": "signs"}),
    )
    elsewhere = monitor.model_copy(update={"storage": stored, "labels": labels})
    monkeypatch.setenv("AIRFLOW_CONN_SIGNS", f'{{"conn_type": "{kind}", "login": "who", "password": "key"}}')
    assert link_signers(elsewhere).storage.uri == uri
    monkeypatch.setenv("AIRFLOW_CONN_SIGNS", '{"conn_type": "http", "host": "h"}')
    with pytest.raises(
        NeedsAttention, match=rf"labels\.image_links names .* of type http, and {uri[:2]}:// takes one of type {kind}"
    ):
        link_signers(elsewhere)
