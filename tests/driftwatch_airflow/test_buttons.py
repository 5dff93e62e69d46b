"""The buttons on a task page."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred


def test_each_link_of_a_task_keeps_its_own_address(day):
    day.create()
    operator = day.sensor()
    with pytest.raises(TaskDeferred):
        operator.execute(day.context())
    key = SimpleNamespace(dag_id="cats_vs_dogs_monitoring", run_id="by hand/1")
    addresses = {link.name: link.get_link(operator, ti_key=key) for link in operator.operator_extra_links}
    assert "/pool/" in addresses["Labelling"]
    assert addresses["Label spend so far"].endswith("#spend")
    assert addresses["Monitor page"] == "/driftwatch/dag/cats_vs_dogs_monitoring/run/by%20hand%2F1"
