"""The simulated annotators: who they are, how fast they are, and what they answer.

Everything about a worker follows from the seed and the worker's number. An answer also follows from the image, and never from the moment
at which it is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from driftwatch_sandbox.toloka.chance import chance
from driftwatch_sandbox.toloka.store import Document

# Toloka keeps a passed language test as a system skill with this id and the value 100 (toloka-kit, filter.Languages).
LANGUAGE_SKILLS = {"EN": "26366", "ES": "32346", "FR": "26711", "PT": "26714", "RU": "26296", "DE": "26377"}
_OTHER_LANGUAGES = ("ES", "FR", "PT", "RU", "DE")
_HARD_SHARE = 1 / 20
_UNSURE = 0.4


@dataclass(frozen=True)
class Worker:
    """One annotator: `skill` is the chance of a right answer on an ordinary image, `pace` the seconds for a task."""

    id: str
    kind: str  # careful, hasty, random_spammer or first_spammer
    skill: float
    pace: float
    profile: Document

    @property
    def verified_skills(self) -> dict[str, float]:
        """The language tests that the worker has passed."""
        if self.kind != "careful":
            return {}
        return {LANGUAGE_SKILLS[language]: 100.0 for language in self.profile["languages"]}


def population(seed: int, count: int = 30) -> list[Worker]:
    """The crowd. Of ten workers seven are careful, two are hasty or spammers (they answer without looking), and one does not speak English."""
    return [_worker(seed, number) for number in range(count)]


def _worker(seed: int, number: int) -> Worker:
    def draw(what: str) -> float:
        return chance(seed, number, what)

    user_id = "".join(f"{int(chance(seed, number, part) * 2**32):08x}" for part in range(4))
    place = number % 15
    kind = {4: "hasty", 7: "random_spammer", 12: "hasty", 14: "first_spammer"}.get(place, "careful")
    other = _OTHER_LANGUAGES[int(draw("language") * len(_OTHER_LANGUAGES))]
    languages = [other] if place in (2, 9, 11) else ["EN"] if draw("second") < 0.6 else ["EN", other]
    skills = {"careful": (0.93, 0.06), "hasty": (0.78, 0.10)}
    paces = {"careful": (3.0, 3.0), "hasty": (1.8, 0.8)}
    low, width = skills.get(kind, (0.0, 0.0))
    slow, spread = paces.get(kind, (0.3, 0.2))
    profile = {
        "languages": languages,
        "country": "US" if languages[0] == "EN" else languages[0],
        "citizenship": "US" if languages[0] == "EN" else languages[0],
        "education": ("BASIC", "MIDDLE", "HIGH")[int(draw("education") * 3)],
        "gender": "MALE" if draw("gender") < 0.5 else "FEMALE",
        "adult_allowed": True,
        "date_of_birth": int(300_000_000 + draw("birth") * 700_000_000),
        "client_type": "BROWSER",
        "user_agent_type": "BROWSER",
        "user_agent_family": "CHROME",
        "device_category": "PERSONAL_COMPUTER",
        "os_family": "WINDOWS",
        "rating": round(100 * draw("rating"), 1),
    }
    return Worker(user_id, kind, low + width * draw("skill"), slow + spread * draw("pace"), profile)


def seconds_for_page(worker: Worker, task_ids: list[str]) -> float:
    """How long the worker needs for a page, in the worker's own seconds."""
    return max(1.0, worker.pace * len(task_ids) * (0.8 + 0.4 * chance(worker.id, *task_ids[:1])))


def rest(worker: Worker, page_seconds: float, page_number: int) -> float:
    """The pause before the next page. Spammers pause longer, since they also work for others: so they do not take all pages of a pool."""
    return max(8.0, 45.0 - page_seconds) * (0.7 + 0.6 * chance(worker.id, page_number))


def difficulty(image_id: str) -> float:
    """How hard an image is for everybody: one in twenty is hard (1.5 to 3), the others are ordinary (-0.5 to 0.5)."""
    if chance("hard", image_id) < _HARD_SHARE:
        return 1.5 + 1.5 * chance("how hard", image_id)
    return chance("how hard", image_id) - 0.5


def answer(
    worker: Worker, image_id: str | None, truth: str | None, allowed: list[Any], classes: set[str], seed: int
) -> Any:
    """A worker's answer to the question what an image shows.

    `truth`: the right answer; None if nobody knows it, and the worker guesses. `allowed`: the answers to choose from. Those that are not
    among `classes` mean "I cannot tell"; they are chosen now and then in place of a wrong answer.
    """

    def draw(what: str) -> float:
        return chance(seed, worker.id, image_id, what)

    def pick(options: list[Any]) -> Any:
        return options[int(draw("pick") * len(options))]

    if worker.kind == "first_spammer":
        return allowed[0]
    if worker.kind == "random_spammer" or image_id is None or truth not in allowed:
        return pick(allowed)
    odds = math.log(worker.skill / (1 - worker.skill)) - difficulty(image_id)
    if draw("right") < 1 / (1 + math.exp(-odds)):
        return truth
    unsure = [value for value in allowed if value not in classes]
    wrong = [value for value in allowed if value in classes and value != truth]
    if unsure and (not wrong or draw("unsure") < _UNSURE):
        return pick(unsure)
    return pick(wrong) if wrong else truth
