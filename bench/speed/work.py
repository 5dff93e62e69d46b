"""One side of the speed benchmark: a process that does a named task over a folder of images when told to, and says how long it took.

It reads a line of JSON from standard input for each run, {"task", "folder", "images", "cores"}, and answers with the seconds on the clock and on
the processor. Each side runs in the Python that it is installed in: Driftwatch in .venv, the others in var/bench/speed. Imports and first calls
are not counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(WHYLOGS_NO_ANALYTICS="1", _WHYLABS_SKIP_CONFIG_READ="1", TF_CPP_MIN_LOG_LEVEL="3", TQDM_DISABLE="1")
INPUT_SIZE = 96
# What was made once, and the last picture: given back at once, large ones would have their memory fetched anew from the system each time.
_prepared: dict[str, Any] = {}


def opencv(paths: list[Path]) -> None:
    import cv2
    import numpy as np

    for path in paths:
        _prepared["last"] = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR_RGB)


def simplejpeg(paths: list[Path]) -> None:
    import simplejpeg as library

    for path in paths:
        _prepared["last"] = library.decode_jpeg(path.read_bytes())


def pillow(paths: list[Path]) -> None:
    import numpy as np
    from PIL import Image

    for path in paths:
        _prepared["last"] = np.asarray(Image.open(path).convert("RGB"))


def pillow_draft(paths: list[Path]) -> None:
    """At an eighth, a quarter or half of the size, whichever still covers the model's input."""
    import numpy as np
    from PIL import Image

    for path in paths:
        image = Image.open(path)
        image.draft("RGB", (INPUT_SIZE, INPUT_SIZE))
        _prepared["last"] = np.asarray(image.convert("RGB"))


def pyvips(paths: list[Path]) -> None:
    import pyvips as library

    for path in paths:
        _prepared["last"] = library.Image.new_from_buffer(path.read_bytes(), "", access="sequential").numpy()


def image_metric(paths: list[Path]) -> None:
    """whylogs' own call for one image. What merging the profiles costs is not counted."""
    from PIL import Image
    from whylogs.extras.image_metric import log_image

    for path in paths:
        log_image(Image.open(path)).view()


def cleanvision(paths: list[Path]) -> None:
    """All of its checks at their defaults, in one process."""
    from cleanvision import Imagelab

    Imagelab(data_path=str(paths[0].parent)).find_issues(n_jobs=1, verbose=False)


# What the pass makes of a picture, by the name of its task: see bench/speed/inputs.py.
INPUTS: dict[str, dict[str, Any]] = {
    "squash": {},
    "squash_bilinear": {"interpolation": "bilinear"},
    "squash_bicubic": {"interpolation": "bicubic"},
    "squash_opencv": {"interpolation": "bilinear", "antialias": False},
    "crop_bilinear": {"resize": "crop", "crop_share": 0.875, "interpolation": "bilinear"},
    "crop_areas": {"resize": "crop", "crop_share": 0.875},
    "pad_bilinear": {"resize": "pad", "interpolation": "bilinear"},
}


def one_pass(paths: list[Path], workers: int = 1, size: int = INPUT_SIZE, **settings: Any) -> None:
    """The product's own pass: fetch, checks, decoding, all features, perceptual hash, the model's input."""
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.config import ImagesConfig
    from driftwatch.images.listing import ImageFolder
    from driftwatch.images.one_pass import take_in_blocks
    from driftwatch.storage import StoredObject, open_storage

    storage = open_storage(f"file://{paths[0].parent}")
    objects = [StoredObject(path.name, path.stat().st_size) for path in paths]
    folder = ImageFolder(storage, "", ImagesConfig())
    images = sum(
        len(block.inputs)
        for block in take_in_blocks(folder, objects, ModelInput(height=size, width=size, **settings), workers=workers)
    )
    assert images == len(paths), f"{images} of {len(paths)} images were accepted"


def two_threads(paths: list[Path]) -> None:
    one_pass(paths, 2)


def two_processes(paths: list[Path]) -> None:
    _in_two_processes(one_pass, paths)


def _in_two_processes(task: Callable[[list[Path]], Any], paths: list[Path]) -> None:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    if "pool" not in _prepared:
        _prepared["pool"] = ProcessPoolExecutor(2, get_context("spawn"))
    half = len(paths) // 2
    list(_prepared["pool"].map(task, [paths[:half], paths[half:]]))


def decode_two_threads(paths: list[Path]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    half = len(paths) // 2
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(opencv, [paths[:half], paths[half:]]))


def decode_two_processes(paths: list[Path]) -> None:
    _in_two_processes(opencv, paths)


def stages(paths: list[Path]) -> dict[str, float]:
    """Seconds of processor time of each stage of the pass, as it runs: a wrapped clock around each of its functions."""
    from driftwatch.images import outcome, usual
    from driftwatch.images.kernels import grey, rgb

    spent: dict[str, float] = {}

    def timed(owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def run(*arguments: Any) -> Any:
            started = time.thread_time()
            try:
                return function(*arguments)
            finally:
                spent[name] = spent.get(name, 0.0) + time.thread_time() - started

        undo.callback(setattr, owner, name, function)
        setattr(owner, name, run)

    with contextlib.ExitStack() as undo:
        timed(outcome, "check_file")
        timed(usual, "pixels")
        for kernel in ("halve", "weigh", "colour"):
            timed(rgb, kernel)
        for kernel in ("window_sharpness", "signs_of_frequencies"):
            timed(grey, kernel)
        started = time.process_time()
        one_pass(paths)
        spent["all"] = time.process_time() - started
    return spent


def _model() -> Any:
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.models.architecture import build
    from driftwatch.models.predictors.from_images import ModelFacts
    from driftwatch.models.predictors.heads import Head
    from driftwatch.models.predictors.keras import KerasPredictor
    from driftwatch.models.runtime import prepare

    if "model" not in _prepared:
        prepare()
        facts = ModelFacts("", ("cat", "dog"), ModelInput(height=INPUT_SIZE, width=INPUT_SIZE), Head("logits"))
        _prepared["model"] = KerasPredictor(facts, build(ModelInput.square(INPUT_SIZE), 2))
    return _prepared["model"]


def _stored(paths: list[Path]) -> Any:
    """The images' stored inputs, put into memory before the first run."""
    import numpy as np

    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.config import ImagesConfig
    from driftwatch.images.decode import decode_image
    from driftwatch.images.resize import model_input

    key = f"inputs {paths[0].parent}"
    if key not in _prepared:
        decoded = (decode_image(path.read_bytes(), ImagesConfig()).rgb for path in paths)
        _prepared[key] = np.stack([model_input(rgb, ModelInput.square(INPUT_SIZE)) for rgb in decoded])
    return _prepared[key]


def answers(paths: list[Path]) -> None:
    """The day's answers as the product gives them, from stored inputs."""
    _model().log_scores([_stored(paths)], 64)


def answers_onnx(paths: list[Path]) -> None:
    """The same by the same network as an ONNX file."""
    import tensorflow as tf
    import tf2onnx

    from driftwatch.models.predictors.onnx import opened

    if "onnx" not in _prepared:
        keras = _model()
        given = [tf.TensorSpec((None, INPUT_SIZE, INPUT_SIZE, 3), tf.float32, name="image")]
        whole = tf.function(lambda image: keras.model(image, training=False), input_signature=given)
        file, _ = tf2onnx.convert.from_function(whole, input_signature=given, opset=17)
        _prepared["onnx"] = opened(file.SerializeToString(), keras.facts, "the benchmark's model")
    _prepared["onnx"].log_scores([_stored(paths)], 64)


def answers_one_by_one(paths: list[Path]) -> None:
    """What a first script does: decode each file again and call model.predict on it."""
    import cv2

    model = _model().model
    for path in paths:
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        model.predict(cv2.resize(rgb, (INPUT_SIZE, INPUT_SIZE), interpolation=cv2.INTER_AREA)[None], verbose=0)


TASKS: dict[str, Callable[[list[Path]], Any]] = {
    function.__name__: function
    for function in (
        opencv, simplejpeg, pillow, pillow_draft, pyvips, image_metric, cleanvision, one_pass, two_threads, two_processes,
        decode_two_threads, decode_two_processes, stages, answers, answers_onnx, answers_one_by_one,
    )
}  # fmt: skip
TASKS |= {name: partial(one_pass, size=224, **settings) for name, settings in INPUTS.items()}


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to standard error
    cores = sorted(os.sched_getaffinity(0))
    with contextlib.suppress(ImportError):
        import cv2

        cv2.setNumThreads(1)
    for line in sys.stdin:
        order = json.loads(line)
        os.sched_setaffinity(0, cores if order["cores"] > 1 else cores[-1:])
        paths = sorted(Path(order["folder"]).glob("*.jpg"))[: order["images"]]
        started = time.perf_counter(), time.process_time()
        more = TASKS[order["task"]](paths)
        took = {"wall": time.perf_counter() - started[0], "cpu": time.process_time() - started[1], "more": more}
        print(json.dumps(took), file=replies, flush=True)


if __name__ == "__main__":
    main()
