"""A model server of KServe's own Python SDK, run in its own virtual environment: logits are a tenth of each colour's mean. `colours` takes
and gives FP32, `colours_fp16` FP16. COLOURS_SECONDS: how long each answer takes beside.

python kserve_model.py PORT
"""

import asyncio
import os
import sys

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.constants.constants import FASTAPI_APP_IMPORT_STRING
from kserve.protocol.rest.server import RESTServer
from kserve.utils.utils import generate_uuid

SIDE = int(os.environ["COLOURS_SIDE"])


class Colours(Model):
    def __init__(self, name: str, datatype: str) -> None:
        super().__init__(name)
        self.datatype = datatype
        self.ready = True

    def get_input_types(self) -> list[dict]:
        return [{"name": "image", "datatype": self.datatype, "shape": [-1, SIDE, SIDE, 3]}]

    def get_output_types(self) -> list[dict]:
        return [{"name": "logits", "datatype": self.datatype, "shape": [-1, 3]}]

    async def predict(self, payload: InferRequest, headers: dict | None = None, response_headers: dict | None = None) -> InferResponse:  # fmt: skip
        (given,) = payload.inputs
        assert given.datatype == self.datatype
        await asyncio.sleep(float(os.environ["COLOURS_SECONDS"]))
        logits = given.as_numpy().astype(np.float32).mean(axis=(1, 2)) / 10
        output = InferOutput("logits", list(logits.shape), self.datatype)
        binary = payload.use_binary_outputs
        output.set_data_from_numpy(logits.astype(np.float16 if self.datatype == "FP16" else np.float32), binary)
        return InferResponse(generate_uuid(), self.name, [output], use_binary_outputs=binary)


if __name__ == "__main__":
    port = sys.argv[1]
    server = ModelServer(http_port=int(port), enable_grpc=False, workers=1)
    for name, datatype in (("colours", "FP32"), ("colours_fp16", "FP16")):
        server.register_model(Colours(name, datatype))
    rest = RESTServer(FASTAPI_APP_IMPORT_STRING, server.dataplane, server.model_repository_extension, int(port))
    rest.config.host = "127.0.0.1"  # it knows 0.0.0.0 alone
    rest.run()
