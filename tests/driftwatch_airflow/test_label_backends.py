"""The annotation service by its Airflow connection."""

from __future__ import annotations

import json

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.base import Pool
from driftwatch_airflow.label_backends import label_backend

POOL = Pool("7", 12, 3, 0.2)


def test_the_connection_is_read_when_the_service_is_needed(monkeypatch):
    backend = label_backend("toloka_of_ours")
    assert (backend.name, backend.title) == ("toloka", "Toloka")
    with pytest.raises(NeedsAttention, match=r"no Airflow connection 'toloka_of_ours', which labels\.connection names"):
        backend.look(POOL)
    monkeypatch.setenv(
        "AIRFLOW_CONN_TOLOKA_OF_OURS", json.dumps({"conn_type": "toloka", "host": "ftp://h", "password": "a-token"})
    )
    with pytest.raises(NeedsAttention, match=r"address .*toloka_of_ours .*must begin with https"):
        label_backend("toloka_of_ours").look(POOL)
