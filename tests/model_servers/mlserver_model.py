"""A model for MLServer, run in its own virtual environment: logits are a tenth of each colour's mean. Version `v2` answers as if pictures
were twice as bright. COLOURS_SECONDS: how long each answer takes beside."""

import asyncio
import os

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Colours(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        pictures = NumpyCodec.decode_input(payload.inputs[0])
        await asyncio.sleep(float(os.environ["COLOURS_SECONDS"]))
        logits = pictures.mean(axis=(1, 2)) / 10 * (2 if self.version == "v2" else 1)
        output = NumpyCodec.encode_output("logits", logits.astype(np.float32))
        return InferenceResponse(model_name=self.name, model_version=self.version, outputs=[output])
