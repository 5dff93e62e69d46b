"""The connection types that Airflow learns."""

from __future__ import annotations

import pytest

from driftwatch_airflow.hooks.desk import DeskHook
from driftwatch_airflow.hooks.label_studio import LabelStudioHook
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.provider import get_provider_info


@pytest.mark.parametrize(
    ("kind", "hook", "fields"),
    [
        ("whylabs", WhyLabsHook, {"org_id", "hub_url", "timeout", "retries"}),
        ("label_studio", LabelStudioHook, {"timeout", "retries"}),
        ("toloka", TolokaHook, {"platform_url", "timeout", "retries"}),
        ("driftwatch_desk", DeskHook, {"page_url", "timeout", "retries"}),
    ],
)
def test_each_connection_type_has_its_hook_and_the_fields_that_the_hook_reads(kind, hook, fields):
    (registered,) = [c for c in get_provider_info()["connection-types"] if c["connection-type"] == kind]
    assert registered["hook-class-name"] == f"{hook.__module__}.{hook.__name__}"
    assert (registered["connection-type"], registered["hook-name"]) == (hook.conn_type, hook.hook_name)
    assert fields == set(registered["conn-fields"])
