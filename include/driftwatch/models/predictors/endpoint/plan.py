"""What a model server tells of its model, compared with what Driftwatch sends and needs. What does not fit is refused with both values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.errors import NeedsAttention

# By the names of v2, which has no others for what can be sent.
NUMBERS = {
    "FP32": np.float32, "FP16": np.float16, "FP64": np.float64, "UINT8": np.uint8, "INT32": np.int32, "INT64": np.int64,
}  # fmt: skip
SCORES = ("FP16", "FP32", "FP64")
FREE = -1


class DoesNotFit(NeedsAttention):
    """The server's model is not the one that the monitor file describes."""


@dataclass(frozen=True)
class Told:
    """An input or an output, as the server tells it. `datatype` is empty, and `shape` None, where it does not; -1 is any number."""

    name: str
    datatype: str = ""
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Plan:
    """How the server is asked. `images`: how many images each request must have; 0: any number. `output`: None for the only one."""

    input: str
    datatype: str
    images: int
    output: str | None

    def sent(self, tensor: np.ndarray) -> np.ndarray:
        """The tensor as the server takes it."""
        return np.ascontiguousarray(tensor, NUMBERS[self.datatype])


@dataclass(frozen=True)
class Planner:
    """Compares. `who` names the model for messages, `about` is what `model.input` makes, `output` is `model.output_name`."""

    who: str
    config: EndpointConfig
    about: ModelInput
    output: str | None

    def plan(self, inputs: Sequence[Told], outputs: Sequence[Told]) -> Plan:
        """Raises DoesNotFit."""
        told = self._input(inputs)
        return Plan(told.name, self._datatype(told), self._images(told), self._output(outputs))

    def _input(self, inputs: Sequence[Told]) -> Told:
        wanted, names = self.config.input_name, [told.name for told in inputs]
        if wanted and not inputs:
            return Told(wanted)
        if wanted is None and len(inputs) == 1:
            return inputs[0]
        if wanted in names and len(inputs) == 1:
            return inputs[0]
        if not inputs:
            raise DoesNotFit(f"{self.who} does not tell its inputs: set model.endpoint.input_name")
        if len(inputs) > 1:
            raise DoesNotFit(
                f"{self.who} takes {len(inputs)} inputs, {', '.join(names)}, and Driftwatch has the image alone: serve a model that takes "
                "nothing else"
            )
        raise DoesNotFit(f"{self.who} takes the input {names[0]!r}, and model.endpoint.input_name is {wanted!r}")

    def _datatype(self, told: Told) -> str:
        said, wanted = told.datatype, self.config.datatype
        if said and said not in NUMBERS:
            raise DoesNotFit(
                f"{self.who}: its input {told.name!r} takes {said}, and Driftwatch sends tensors of {', '.join(NUMBERS)}: serve the model "
                "without the step before it"
            )
        if said and wanted not in ("auto", said):
            raise DoesNotFit(
                f"{self.who}: its input {told.name!r} takes {said}, and model.endpoint.datatype is {wanted}: leave it out, or set it to {said}"
            )
        found = said or (wanted if wanted != "auto" else "FP32")
        about = self.about
        plain = about.scale == 1 and not any(about.mean) and all(part == 1 for part in about.std)
        if found not in SCORES and not plain:
            raise DoesNotFit(
                f"{self.who}: its input {told.name!r} takes {found}, whole numbers of 0..255, and model.input makes others by scale, mean or "
                "std: leave these out, or serve the model with an input of FP32"
            )
        return found

    def _images(self, told: Told) -> int:
        """How many images a request has; compares the rest of the shape."""
        if not told.shape:
            return 0
        ours, first, rest = self.about.shape, told.shape[0], told.shape[1:]
        if len(rest) != len(ours) or any(theirs not in (FREE, our) for theirs, our in zip(rest, ours, strict=True)):
            makes = f"[n, {', '.join(map(str, ours))}]"
            raise DoesNotFit(
                f"{self.who}: its input {told.name!r} takes {list(told.shape)}, and model.input makes {makes}: {self._how(rest)}"
            )
        return max(0, first)

    def _how(self, theirs: Sequence[int]) -> str:
        ours = self.about.shape
        channels = ours[0] if self.about.layout == "nchw" else ours[-1]
        other = "nhwc" if self.about.layout == "nchw" else "nchw"
        if len(theirs) != len(ours):
            return "it must take n images of three axes"
        if theirs[0 if other == "nchw" else -1] == channels != theirs[-1 if other == "nchw" else 0]:
            return f"set model.input.layout to {other}"
        if theirs[0 if self.about.layout == "nchw" else -1] != channels:
            return "set model.input.colour, which says how many channels there are, or model.input.layout"
        return "set model.input.size, [height, width]"

    def _output(self, outputs: Sequence[Told]) -> str | None:
        names = [told.name for told in outputs]
        if self.output:
            if names and self.output not in names:
                raise DoesNotFit(
                    f"{self.who} gives {', '.join(names)}, and model.output_name is {self.output!r}: name one of these"
                )
            return self.output
        if not names:
            return None
        likely = [told.name for told in outputs if told.datatype in ("", *SCORES)]
        if len(likely) == 1:
            return likely[0]
        kinds = ", ".join(f"{told.name} ({told.datatype or 'unknown'})" for told in outputs)
        raise DoesNotFit(
            f"{self.who} gives {kinds}: set model.output_name to the one that has the scores, {', '.join(SCORES)}"
        )
