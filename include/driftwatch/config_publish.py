"""The section `publish` of the monitor file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from driftwatch.config_parts import Section


class PublishConfig(Section):
    """Where profiles and performance go. `publish: [local]` is short for a section with these `sinks` alone."""

    sinks: tuple[Literal["whylabs", "local"], ...] = Field(
        ("local",), min_length=1, description="whylabs, local (storage only), or both."
    )
    connection: str = Field("whylabs_default", description="Airflow connection of type whylabs.")
    dataset: str | None = Field(None, description="WhyLabs dataset (model) id; needed for whylabs.")

    @model_validator(mode="before")
    @classmethod
    def _list_of_sinks(cls, value: Any) -> Any:
        return {"sinks": value} if isinstance(value, list | tuple) else value

    @field_validator("sinks")
    @classmethod
    def _distinct(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each sink may be named once")
        return value

    @model_validator(mode="after")
    def _dataset_named(self) -> PublishConfig:
        if "whylabs" in self.sinks and not self.dataset:
            raise ValueError("dataset is needed where sinks has whylabs: the model id shown in WhyLabs, like 'model-1'")
        return self
