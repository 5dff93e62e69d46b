"""`python -m driftwatch_sandbox.labellers desk|label_studio …`: a simulated crowd labels over HTTP until SIGTERM."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from driftwatch_sandbox.labellers.crowd import Labeller, Seat, at_work
from driftwatch_sandbox.labellers.desk import DeskSeat
from driftwatch_sandbox.labellers.label_studio import LabelStudioSeat, invitation
from driftwatch_sandbox.toloka.sight import Truth
from driftwatch_sandbox.toloka.workers import Worker, population

TOKEN_VARIABLE = "DRIFTWATCH_LABELLERS_TOKEN"  # noqa: S105 - the variable's name


def colleagues(count: int, seed: int) -> list[Worker]:
    """The first `count` workers who are careful and speak English: a team asks nobody else. They err on hard images as anybody does."""
    everybody = population(seed, 4 * count)
    return [worker for worker in everybody if worker.kind == "careful" and "EN" in worker.profile["languages"]][:count]


def seats(options: argparse.Namespace, workers: Sequence[Worker]) -> list[Seat]:
    """A seat for each worker. The desk's tokens, by name, are in the file `--people`."""
    if options.service == "desk":
        tokens = json.loads(options.people.read_text(encoding="utf-8")).values()
        return [DeskSeat(options.url, token) for token in tokens]
    invite, password = invitation(options.url, os.environ[TOKEN_VARIABLE]), os.environ[TOKEN_VARIABLE]
    return [LabelStudioSeat(options.url, f"{worker.id[:12]}@example.org", password, invite) for worker in workers]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.labellers", description=__doc__)
    parser.add_argument("service", choices=("desk", "label_studio"))
    parser.add_argument("--url", required=True, help="the service's address")
    parser.add_argument("--truth", type=Path, required=True, help="CSV file image_id,label: what the images show")
    parser.add_argument("--people", type=Path, help="of the desk: JSON file {name: token}")
    parser.add_argument("--count", type=int, default=12, help="how many people")
    parser.add_argument("--speed", type=float, default=400.0, help="how fast their clock runs")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    workers, truth = colleagues(options.count, options.seed), Truth(options.truth)
    people = [
        Labeller(worker, seat, truth, options.seed, options.speed)
        for worker, seat in zip(workers, seats(options, workers), strict=False)
    ]
    for thread in at_work(people, stopped):
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
