"""The section `model.endpoint` of the monitor file: the model server that answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import Section


class EndpointConfig(Section):
    """An HTTP model server that answers the day's images."""

    connection: str = Field(
        min_length=1,
        description="The Airflow connection of type http that has its address. A password alone is sent as a bearer token, with a login as Basic. The extras may have `timeout` (seconds for each request, 60), `retries` (4) and `headers`.",
    )
    protocol: Literal["v2", "tensorflow"] = Field(
        "v2",
        description="v2: KServe's Open Inference Protocol, which Triton and MLServer speak too. tensorflow: TensorFlow Serving's REST.",
    )
    model: str = Field(min_length=1, max_length=200, description="The model's name on the server.")
    version: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The version that is asked; for TensorFlow Serving its number or its label. null: the one that the server chooses. The version that answered stands beside each answer.",
    )
    input_name: str | None = Field(
        None, min_length=1, max_length=200, description="The model's input. null: the one that the server names."
    )
    datatype: Literal["auto", "FP32", "FP16", "UINT8"] = Field(
        "auto",
        description="What each number of the input is sent as. auto: what the server says. UINT8 is for a model that scales the numbers itself. FP16 of v2 needs `binary`.",
    )
    binary: bool | None = Field(
        None,
        description="For v2: whether tensors are sent as bytes, which is many times as fast as JSON (the binary tensor data extension; Triton and KServe have it, MLServer does not). null: where the server lists that extension.",
    )
    signature: str = Field(
        "serving_default", min_length=1, max_length=200, description="For tensorflow: the signature that is called."
    )
    body: Literal["instances", "inputs"] = Field(
        "instances",
        description="For tensorflow: the form of the request. instances: row by row. inputs: in columns, for a signature of which another output has no row for each image.",
    )
    images_per_request: int = Field(
        16, ge=1, le=256, description="How many images one request has, at most; `model.batch_size` limits them too."
    )
    requests_at_once: int = Field(4, ge=1, le=64, description="How many requests wait for an answer at the same time.")

    @model_validator(mode="after")
    def _of_its_protocol(self) -> EndpointConfig:
        foreign = {"v2": ("signature", "body"), "tensorflow": ("binary",)}[self.protocol]
        if wrong := [name for name in foreign if name in self.model_fields_set]:
            raise ValueError(f"{' and '.join(wrong)}: not for protocol: {self.protocol}")
        if self.protocol == "v2" and self.datatype == "FP16" and self.binary is False:
            raise ValueError("datatype: FP16 has no JSON form in v2: leave out binary: false")
        return self
