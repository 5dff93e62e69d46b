"""How fast a model server answers a day's images with 1, 8 and 32 requests at once: `make bench-endpoint`.

    python -m bench.endpoint [--short]

The servers: MLServer, a real one, with JSON; and for tensors as bytes, which it does not take, the stand-in of the tests in a process of its own.
Their model costs next to nothing, so on one machine the rows show what the protocol costs. In the rows "elsewhere" each answer takes 50 ms
more, as from a model on another machine. The ways take turns,
one run each, for some rounds; a ratio is taken within a round, and the table has the median with the lowest and the highest. Writes
docs/benchmarks/endpoint.md and endpoint.csv.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.model_servers.running import CLASSES, mlserver

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.credentials import Access
from driftwatch.models.predictors.base import Asked
from driftwatch.models.predictors.endpoint.predictor import EndpointPredictor
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel
from driftwatch_servers.serving import serve

OUT = Path(__file__).parents[1] / "docs" / "benchmarks"
SIDE, PER_REQUEST, AT_ONCE, ELSEWHERE = 96, 16, (1, 8, 32), 0.05
BLOCK = 256


BYTES, JSON = "bytes", "JSON"


@dataclass(frozen=True)
class Case:
    """`server`: by what it takes, BYTES or JSON. `images`: of each run."""

    server: str
    elsewhere: bool
    images: int

    @property
    def name(self) -> str:
        return f"{self.server}, elsewhere" if self.elsewhere else self.server

    @property
    def binary(self) -> bool:
        return self.server == BYTES


@contextmanager
def stand_in(folder: Path, seconds: float, side: int) -> Iterator[str]:
    """The stand-in in a process of its own. Gives its address."""
    command = [sys.executable, "-m", "bench.endpoint", "--serve", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout
        yield process.stdout.readline().split()[-1]
        process.terminate()


def _model(seconds: float) -> ServedModel:
    def scores(tensor: np.ndarray, version: str) -> np.ndarray:
        time.sleep(seconds)
        means: np.ndarray = tensor.mean(axis=(1, 2))
        return means

    return ServedModel("colours", (-1, SIDE, SIDE, 3), scores, binary=True)


def blocks(images: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    block = rng.integers(0, 256, (BLOCK, SIDE, SIDE, 3)).astype(np.uint8)
    for start in range(0, images, BLOCK):
        yield block[: min(BLOCK, images - start)]


def seconds(case: Case, url: str, at_once: int) -> float:
    config = EndpointConfig(
        connection="c", model="colours", binary=case.binary, requests_at_once=at_once, images_per_request=PER_REQUEST
    )
    facts = ModelFacts("v1", CLASSES, ModelInput(height=SIDE, width=SIDE), Head("logits"))
    predictor = EndpointPredictor(facts, config, Access("c", url, ""))
    begun = time.perf_counter()
    found = predictor.predict(Asked(blocks(case.images)), BLOCK)
    took = time.perf_counter() - begun
    assert len(found.scores) == case.images
    return took


def rounds(case: Case, url: str, repeats: int) -> list[dict[int, float]]:
    """Images a second in each round, by the requests at once; a first round, which warms up, does not count."""
    found = []
    for number in range(repeats + 1):
        rates = {at_once: case.images / seconds(case, url, at_once) for at_once in AT_ONCE}
        print(f"{case.name}, round {number} of {repeats}: {rates}", flush=True)
        found.append(rates)
    return found[1:]


def page(found: dict[Case, list[dict[int, float]]], repeats: int, load: float) -> str:
    rows = [_row(case, runs, at_once) for case, runs in found.items() for at_once in AT_ONCE]
    lines = "\n".join(rows)
    return f"""# Answers from a model server

`make bench-endpoint` writes this page ([endpoint.csv](endpoint.csv) has each round). Images of {SIDE} x {SIDE} in FP32, {PER_REQUEST} a request, from a
server on the same {os.cpu_count()} cores of a {platform.machine()} machine, Python {platform.python_version()}, load {load:.1f} before the run; {repeats} rounds. The model costs next to nothing, so what is
measured is the protocol: making the tensors, sending them, and the server's reading them. "Elsewhere" is the same with {1000 * ELSEWHERE:.0f} ms more for each
answer, as from a model on another machine. A ratio is taken within a round: the median, and the lowest and highest.

| server | requests at once | images/s | times as fast as one at once |
|---|---|---|---|
{lines}

JSON is MLServer, a real server. It does not take bytes: for these the stand-in of the tests runs in a process of its own. KServe's Python server takes them
and makes lists of numbers of them, so it gains nothing.

Where the model is elsewhere, requests at once pay until the cores here are busy. On the same cores they cannot pay much, since tensors, JSON
and server share them. `requests_at_once` is 4 unless it is set: more is for a server that has free workers.
"""


def _row(case: Case, runs: list[dict[int, float]], at_once: int) -> str:
    ratios = [rates[at_once] / rates[AT_ONCE[0]] for rates in runs]
    rate = statistics.median(rates[at_once] for rates in runs)
    ratio = "" if at_once == AT_ONCE[0] else f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"| {case.name} | {at_once} | {rate:,.0f} | {ratio} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", type=float, metavar="SECONDS", help=argparse.SUPPRESS)
    parser.add_argument("--short", action="store_true", help="two rounds of fewer images, and nothing is written")
    options = parser.parse_args()
    if options.serve is not None:
        serve(create_app(_model(options.serve)), "127.0.0.1", 0)
        return
    short = options.short
    repeats, share, load = (2, 2, 0.0) if short else (3, 1, os.getloadavg()[0])
    cases = [
        Case(BYTES, False, 1024 // share), Case(BYTES, True, 1024 // share),
        Case(JSON, False, 256 // share), Case(JSON, True, 256 // share),
    ]  # fmt: skip
    start = {BYTES: stand_in, JSON: mlserver}
    found = {}
    for case in cases:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            wait = ELSEWHERE if case.elsewhere else 0.0
            url = stack.enter_context(start[case.server](folder, seconds=wait, side=SIDE))
            found[case] = rounds(case, url, repeats)
    text = page(found, repeats, load)
    print(text)
    if not short:
        (OUT / "endpoint.md").write_text(text, encoding="utf-8")
        with (OUT / "endpoint.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["server", "requests_at_once", *(f"round_{n + 1}" for n in range(repeats))])
            writer.writerows(
                [case.name, at_once, *(f"{rates[at_once]:.1f}" for rates in runs)]
                for case, runs in found.items()
                for at_once in AT_ONCE
            )


if __name__ == "__main__":
    main()
