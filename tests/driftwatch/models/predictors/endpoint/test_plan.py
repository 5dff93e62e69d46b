"""What a server tells of its model is compared with what Driftwatch sends and needs; what does not fit is refused with both."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.models.predictors.endpoint.plan import DoesNotFit, Plan, Planner, Told

IMAGE = Told("image", "FP32", (-1, 224, 160, 3))
SCORES = Told("scores", "FP32", (-1, 2))


def planner(output: str | None = None, about: dict | None = None, **config) -> Planner:
    section = EndpointConfig.model_validate({"connection": "c", "model": "cats", **config})
    return Planner("the model 'cats'", section, ModelInput(**{"height": 224, "width": 160, **(about or {})}), output)


@pytest.mark.parametrize(
    ("inputs", "config", "plan"),
    [
        ([IMAGE], {}, Plan("image", "FP32", 0, "scores")),
        ([Told("image", "FP16", (8, -1, -1, 3))], {}, Plan("image", "FP16", 8, "scores")),
        ([Told("image")], {}, Plan("image", "FP32", 0, "scores")),
        ([], {"input_name": "pixels", "datatype": "UINT8"}, Plan("pixels", "UINT8", 0, "scores")),
        ([IMAGE], {"input_name": "image", "datatype": "FP32"}, Plan("image", "FP32", 0, "scores")),
    ],
)
def test_the_server_is_asked_as_it_says(inputs, config, plan):
    assert planner(**config).plan(inputs, [SCORES]) == plan


@pytest.mark.parametrize(
    ("inputs", "config", "told"),
    [
        ([], {}, r"does not tell its inputs: set model\.endpoint\.input_name"),
        ([IMAGE, Told("mask", "FP32", (-1, 1))], {}, r"takes 2 inputs, image, mask, and Driftwatch has the image alone"),
        ([IMAGE], {"input_name": "pixels"}, r"takes the input 'image', and model\.endpoint\.input_name is 'pixels'"),
        ([Told("image", "BYTES", (-1, 1))], {}, r"'image' takes BYTES, and Driftwatch sends tensors of FP32"),
        ([IMAGE], {"datatype": "UINT8"}, r"takes FP32, and model\.endpoint\.datatype is UINT8"),
        ([Told("image", "FP32", (-1, 3, 224, 160))], {}, r"takes \[-1, 3, 224, 160\], and model\.input makes \[n, 224, 160, 3\]: set model\.input\.layout to nchw"),
        ([Told("image", "FP32", (-1, 299, 299, 3))], {}, r"\[-1, 299, 299, 3\], .*\[n, 224, 160, 3\]: set model\.input\.size"),
        ([Told("image", "FP32", (-1, 224, 160, 1))], {}, r"\[-1, 224, 160, 1\], .*set model\.input\.colour"),
        ([Told("image", "FP32", (-1, 150528))], {}, r"\[-1, 150528\], .*it must take n images of three axes"),
    ],
)  # fmt: skip
def test_an_input_that_does_not_fit_is_refused_with_both(inputs, config, told):
    with pytest.raises(DoesNotFit, match=rf"the model 'cats'.*{told}"):
        planner(**config).plan(inputs, [SCORES])


@pytest.mark.parametrize("about", [{"scale": 1 / 255}, {"mean": (1.0, 1.0, 1.0)}, {"std": (2.0, 2.0, 2.0)}])
def test_whole_numbers_are_for_a_model_that_scales_itself(about):
    bytes_in = [Told("image", "UINT8", (-1, 224, 160, 3))]
    assert planner().plan(bytes_in, [SCORES]).datatype == "UINT8"
    with pytest.raises(
        DoesNotFit, match=r"takes UINT8, whole numbers of 0\.\.255, and model\.input makes others by scale, mean or std"
    ):
        planner(about=about).plan(bytes_in, [SCORES])


@pytest.mark.parametrize(
    ("outputs", "wanted", "name"),
    [
        ([], None, None),
        ([], "scores", "scores"),
        ([SCORES], None, "scores"),
        ([Told("label", "INT64"), SCORES], None, "scores"),
        ([Told("features", "FP32"), SCORES], "scores", "scores"),
    ],
)
def test_the_output_is_the_one_that_is_named_or_the_only_one_that_can_be_scores(outputs, wanted, name):
    assert planner(wanted).plan([IMAGE], outputs).output == name


@pytest.mark.parametrize(
    ("outputs", "wanted", "told"),
    [
        ([Told("features", "FP32"), SCORES], None, r"gives features \(FP32\), scores \(FP32\): set model\.output_name"),
        (
            [Told("label", "INT64")],
            None,
            r"gives label \(INT64\): set model\.output_name to the one that has the scores",
        ),
        ([SCORES], "logits", r"gives scores, and model\.output_name is 'logits'"),
    ],
)
def test_an_output_that_cannot_be_told_is_asked_for(outputs, wanted, told):
    with pytest.raises(DoesNotFit, match=told):
        planner(wanted).plan([IMAGE], outputs)


@pytest.mark.parametrize(("datatype", "kind"), [("FP32", "float32"), ("FP16", "float16"), ("UINT8", "uint8")])
def test_a_tensor_is_sent_as_the_server_takes_it(datatype, kind):
    sent = Plan("image", datatype, 0, None).sent(np.full((1, 2, 2, 3), 7, np.float32))
    assert (sent.dtype, sent.flags.c_contiguous, sent.max()) == (kind, True, 7)
