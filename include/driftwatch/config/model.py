"""The section `model` of the monitor file: where its answers come from, what goes into it, and how it is trained."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field, model_validator

from driftwatch.config.endpoint import EndpointConfig
from driftwatch.config.logged import LoggedConfig
from driftwatch.config.model_input import InputConfig
from driftwatch.config.parts import Section
from driftwatch.config.recipe import RecipeConfig

CHAMPION: Final = "champion"
ENDPOINT: Final = "endpoint"
LOGGED: Final = "logged"


class ModelConfig(Section):
    """Where the classifier's answers come from, what goes into it, and how it is trained."""

    predictions: Literal["champion", "endpoint", "logged"] = Field(
        CHAMPION,
        description="Where a day's answers come from. champion: the registered model answers the day's images. endpoint: a model server answers them (`endpoint`). logged: production wrote its answers down (`logged`).",
    )
    endpoint: EndpointConfig | None = Field(None, description="The model server; needed for `predictions: endpoint`.")
    logged: LoggedConfig | None = Field(None, description="Production's log; needed for `predictions: logged`.")
    recheck_images: int = Field(
        64,
        ge=0,
        le=1000,
        description="For `predictions: logged` with a champion that is a file: so many of a day's images are also answered by that file, and the report says how well both agree. Such a difference never alerts. 0: none.",
    )
    serving_version: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="Where several model versions answer on one day: the one whose accuracy is the day's verdict, as the server or the log names it. null: the one with the most answers.",
    )
    input: InputConfig = Field(default_factory=InputConfig)
    output: Literal["auto", "probabilities", "logits", "sigmoid", "logit", "sigmoids"] = Field(
        "auto",
        description="What the model gives. probabilities and logits: one number for each class. sigmoid and logit: one number for two classes, the chance of `positive_class` or its log odds. sigmoids: one chance for each class, which need not sum to 1. auto: it is told from the model's answers where that is possible.",
    )
    output_name: str | None = Field(
        None, min_length=1, max_length=200, description="Which output has the answers, for a model that has several."
    )
    positive_class: str | None = Field(
        None, description="For sigmoid and logit: the class whose chance it is; null: the second of `classes`."
    )
    content_features: Literal["auto", "gist", "none"] = Field(
        "auto",
        description="What content drift is judged by. auto: the model's embeddings, and GIST where it gives none. gist: always GIST, a descriptor of the picture that comes with Driftwatch. none: the embeddings alone; without them content is not judged. It counts for models that are registered from then on.",
    )
    batch_size: int = Field(
        256,
        ge=1,
        le=256,
        description="How many images are predicted at once, at most. Of pictures larger than 96 x 96 there are fewer, so that a batch has no more pixels than 256 of these: 47 of 224 x 224. Inputs are stored in blocks of 256.",
    )
    recipe: RecipeConfig = Field(default_factory=RecipeConfig)

    @model_validator(mode="before")
    @classmethod
    def _old_name_of_the_size(cls, value: Any) -> Any:
        """`input_size` was the name of `input.size` before the input had other settings."""
        if not isinstance(value, dict) or "input_size" not in value:
            return value
        inner = value.get("input") or {}
        if not isinstance(inner, dict) or "size" in inner:
            raise ValueError("input_size and input.size are the same setting: keep input.size alone")
        rest = {name: part for name, part in value.items() if name != "input_size"}
        return {**rest, "input": {**inner, "size": value["input_size"]}}

    @model_validator(mode="after")
    def _has_its_source(self) -> ModelConfig:
        for name, section in ((ENDPOINT, self.endpoint), (LOGGED, self.logged)):
            if self.predictions == name and section is None:
                raise ValueError(f"predictions: {name} needs the section model.{name}")
        return self
