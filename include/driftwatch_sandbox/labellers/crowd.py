"""The people: each works in a thread of its own, takes what the service offers, looks at the images, and answers in its own time."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from driftwatch_sandbox.toloka.chance import chance
from driftwatch_sandbox.toloka.sight import Truth
from driftwatch_sandbox.toloka.workers import Worker, answer

log = logging.getLogger(__name__)
# While the service has no work, or cannot be reached, people look again after this many seconds. Twelve people who ask a Label Studio each
# second take half a core of it.
_LOOK_AGAIN = 5.0


@dataclass(frozen=True)
class Shown:
    """One image that a person is asked about. `image`: its address; `choices`: the answers to choose from."""

    task: str
    image: str
    choices: Sequence[str]


class Seat(Protocol):
    """One person's place at a service: logged in, as the browser is."""

    http: httpx.Client

    def work(self) -> Sequence[Shown]:
        """What the person is asked next; empty if there is nothing now."""

    def give(self, shown: Shown, choice: str, seconds: float) -> None:
        """Answers. `seconds`: how long the person looked, by the person's own clock."""


@dataclass(frozen=True)
class Labeller:
    """A person of the crowd at a seat. The clock of people runs `speed` times as fast as ours."""

    worker: Worker
    seat: Seat
    truth: Truth
    seed: int
    speed: float

    def run(self, stopped: threading.Event) -> None:
        """Labels until `stopped` is set. What fails is said, and tried again."""
        while not stopped.is_set():
            try:
                offered = self.seat.work()
                for shown in offered:
                    seconds = max(1.0, self.worker.pace * (0.8 + 0.4 * chance(self.worker.id, shown.task)))
                    if stopped.wait(seconds / self.speed):
                        return
                    self.seat.give(shown, self._choice(shown), seconds)
            except httpx.HTTPError as error:
                log.warning("%s: %s: %s", self.worker.id, type(error).__name__, error)
                offered = ()
            if not offered:
                stopped.wait(_LOOK_AGAIN)

    def _choice(self, shown: Shown) -> str:
        labels = self.truth.labels()
        found = self.seat.http.get(shown.image, follow_redirects=True)
        found.raise_for_status()
        image_id = hashlib.sha256(found.content).hexdigest()
        return str(
            answer(self.worker, image_id, labels.get(image_id), list(shown.choices), set(labels.values()), self.seed)
        )


def at_work(labellers: Sequence[Labeller], stopped: threading.Event) -> list[threading.Thread]:
    """Starts everybody; they end when `stopped` is set."""
    threads = [threading.Thread(target=person.run, args=(stopped,), name=person.worker.id) for person in labellers]
    for thread in threads:
        thread.start()
    return threads
