"""The section `registry` of the monitor file: registries of others in which the versions are shown too."""

from __future__ import annotations

from pydantic import Field

from driftwatch.config.parts import Section


class MlflowConfig(Section):
    """An MLflow registry that shows each version too. Driftwatch's own stays the one that decides."""

    connection: str = Field(
        min_length=1,
        description="The Airflow connection of type http that has the tracking server's address. A login and a password are sent as Basic, "
        "a password alone as a bearer token.",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[^/:'\"]+$",
        description="The registered model's name there, and that of the experiment with its runs, without / : and quotes; null: the monitor's name.",
    )


class RegistryConfig(Section):
    """Registries of others in which the versions are shown too."""

    mlflow: MlflowConfig | None = None
