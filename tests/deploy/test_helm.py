"""The values for Airflow's official chart: the chart cannot be had offline, so its keys are compared with a list."""

from __future__ import annotations

import re

import pytest
import yaml
from airflow.configuration import conf

from driftwatch.deployment import PRELOAD

# The keys of chart 1.22 that may stand here, by the chart's parameters reference; a dot goes one level down.
KNOWN = set(
    [
        "airflowVersion",
        "defaultAirflowRepository",
        "defaultAirflowTag",
        "images.useDefaultImageForMigration",
        "executor",
        "postgresql.enabled",
        "data.metadataSecretName",
        "fernetKeySecretName",
        "apiSecretKeySecretName",
        "jwtSecretName",
        "createUserJob.enabled",
        "migrateDatabaseJob.useHelmHooks",
        "env",
        "extraEnvFrom",
        "volumes",
        "volumeMounts",
        "airflowLocalSettings",
        "dags.persistence.enabled",
        "dags.gitSync.enabled",
        "logs.persistence.enabled",
        "triggerer.enabled",
        "triggerer.replicas",
        "triggerer.persistence.enabled",
        "triggerer.resources",
        "scheduler.resources",
        "dagProcessor.enabled",
        "dagProcessor.resources",
        "apiServer.resources",
        "workers.celery.keda.enabled",
        "workers.celery.persistence.enabled",
        "workers.celery.resources",
        "workers.kubernetes.resources",
    ]
)
# Still taken by chart 1.22, with a warning; the names above stand in their place.
DEPRECATED = (
    "workers.keda",
    "workers.persistence",
    "workers.resources",
    "webserver",
    "ingress.enabled",
    "securityContext",
)


@pytest.fixture(scope="module")
def values(root):
    return yaml.safe_load((root / "deploy/helm/values.yaml").read_text())


def _keys(value, above=""):
    if not isinstance(value, dict) or above in KNOWN:
        return [above]
    return [key for name, below in value.items() for key in _keys(below, f"{above}.{name}".lstrip("."))]


def test_every_key_is_one_of_the_chart(values):
    assert set(_keys({name: value for name, value in values.items() if name != "config"})) == KNOWN


def test_no_key_is_one_that_the_chart_warns_of(values):
    assert [key for key in _keys(values) if key.startswith(DEPRECATED)] == []


def test_the_secrets_of_the_walk_through_have_the_keys_that_the_chart_reads(values, root):
    guide = (root / "docs/operate/kubernetes.md").read_text()
    for name, key in (
        (values["data"]["metadataSecretName"], "connection"),
        (values["fernetKeySecretName"], "fernet-key"),
        (values["apiSecretKeySecretName"], "api-secret-key"),
        (values["jwtSecretName"], "jwt-secret"),
    ):
        assert re.search(rf"secret generic {name} .*--from-literal={key}=", guide), name


def test_every_setting_is_one_of_airflow(values):
    for section, settings in values["config"].items():
        for name, value in settings.items():
            assert conf.get_default_value(section, name) is not None or (section, name) == ("api", "base_url"), name
            assert isinstance(value, str), f"{section}.{name}: the chart writes texts"


def test_versions_are_those_of_the_lock_and_the_package(values, root):
    lock = (root / "requirements.txt").read_text()
    assert values["airflowVersion"] == re.search(r"^apache-airflow==(\S+)", lock, re.M)[1]
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.M)[1]
    assert values["defaultAirflowTag"] == version


def test_the_image_has_what_the_values_ask_for(values, root):
    assert values["airflowLocalSettings"] == PRELOAD
    image = re.search(r"^light = \[(.+)\]", (root / "pyproject.toml").read_text(), re.M)[1]
    assert {"kubernetes", "fab", "s3"} <= set(re.findall(r"\w+", image))
    (variable,) = [one["value"] for one in values["env"] if one["name"] == "DRIFTWATCH_MONITORS"]
    assert variable in {mount["mountPath"] for mount in values["volumeMounts"]}
    assert {mount["name"] for mount in values["volumeMounts"]} == {volume["name"] for volume in values["volumes"]}
