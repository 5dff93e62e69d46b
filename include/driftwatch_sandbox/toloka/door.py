"""The way into a pool, the same for the simulated crowd and for people: filters, bans, exams, and which page comes next."""

from __future__ import annotations

from driftwatch_sandbox.toloka.enforcement import restrictions
from driftwatch_sandbox.toloka.exchange import Exchange
from driftwatch_sandbox.toloka.filters import matches
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.workers import Worker

CROWD, PEOPLE, BOTH = "crowd", "people", "both"


def served_by(pool: Document) -> str:
    """Who answers the pool: people alone if its metadata has `{"served_by": ["people"]}`, else people and crowd. Without people of the team
    it is always the crowd."""
    said = (pool.get("metadata") or {}).get("served_by") or [BOTH]
    return said[0] if said[0] in (CROWD, PEOPLE) else BOTH


class Door:
    """`speed`: how many seconds of the workers pass in one second."""

    def __init__(self, exchange: Exchange, speed: float) -> None:
        self._exchange = exchange
        self._store = exchange.store
        self._speed = speed
        self._last_full_page: dict[str, float] = {}

    def page(self, worker: Worker, pool: Document, now: float) -> tuple[Document, list[Document] | None]:
        """The worker's next page and where it comes from: the pool, or the training that must be passed first."""
        training_id = self._training_id(pool)
        if training_id is not None and self._exam_result(worker, training_id) is None:
            training = self._exchange.pool(training_id)
            return training, self._exchange.board(training_id).exam() if training["status"] == "OPEN" else None
        delay = ((pool.get("mixer_config") or {}).get("force_last_assignment_delay_seconds") or 0) / self._speed
        last = self._last_full_page.setdefault(pool["id"], now)
        board = self._exchange.board(pool["id"])
        tasks = board.next_page(worker.id, may_be_short=False)
        if tasks is not None:
            self._last_full_page[pool["id"]] = now
        elif now - last >= delay:
            tasks = board.next_page(worker.id, may_be_short=True)
        return pool, tasks

    def may_enter(self, worker: Worker, pool: Document) -> bool:
        def skill(skill_id: str) -> float | None:
            here = [("skill_id", "=", skill_id), ("user_id", "=", worker.id)]
            found = self._store.find("user_skills", here)
            return found[0]["exact_value"] if found else worker.verified_skills.get(skill_id)

        if not matches(pool.get("filter"), worker.profile, skill) or restrictions(self._store, worker.id, pool):
            return False
        training_id = self._training_id(pool)
        result = None if training_id is None else self._exam_result(worker, training_id)
        return (
            result is None or result >= pool["quality_control"]["training_requirement"]["training_passing_skill_value"]
        )

    @staticmethod
    def _training_id(pool: Document) -> str | None:
        return ((pool.get("quality_control") or {}).get("training_requirement") or {}).get("training_pool_id")

    def _exam_result(self, worker: Worker, training_id: str) -> float | None:
        result = self._store.get("training_results", f"{training_id}:{worker.id}")
        return result["value"] if result else None
