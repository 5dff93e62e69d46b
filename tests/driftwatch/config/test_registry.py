"""The section registry.mlflow takes a connection, and a name that MLflow's addresses can hold."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftwatch.config.registry import MlflowConfig, RegistryConfig


def test_without_the_section_nothing_is_shown_elsewhere():
    assert RegistryConfig().mlflow is None


@pytest.mark.parametrize("name", ["cats", "team.cats and dogs", None])
def test_a_name_of_a_registered_model(name):
    assert MlflowConfig(connection="mlflow_default", model=name).model == name


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "it's", 'a"b'])
def test_a_name_that_an_address_or_a_search_could_not_hold_is_refused(name):
    with pytest.raises(ValidationError, match="model"):
        MlflowConfig(connection="mlflow_default", model=name)


def test_a_connection_is_needed():
    with pytest.raises(ValidationError, match="connection"):
        MlflowConfig.model_validate({})
