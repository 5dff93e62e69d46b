"""The section `model.endpoint` of the monitor file: the model server that answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import Section


class EndpointConfig(Section):
    """An HTTP model server that answers the day's images."""

    connection: str = Field(min_length=1, description="The Airflow connection of type http that has its address.")
    protocol: Literal["v2", "tensorflow"] = Field(
        "v2",
        description="v2: KServe's Open Inference Protocol, which Triton and MLServer speak too. tensorflow: TensorFlow Serving's REST.",
    )
    model: str = Field(min_length=1, max_length=200, description="The model's name on the server.")
