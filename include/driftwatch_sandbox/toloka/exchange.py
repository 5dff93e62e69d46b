"""The market: opens and closes pools, hands out pages, takes and judges answers, and moves the money with them."""

from __future__ import annotations

import time
from collections.abc import Iterable

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.board import Board
from driftwatch_sandbox.toloka.enforcement import ban, set_skill
from driftwatch_sandbox.toloka.errors import ApiError, conflict, not_found, wrong_status
from driftwatch_sandbox.toloka.money import Account, page_price
from driftwatch_sandbox.toloka.quality import is_right, met_rules
from driftwatch_sandbox.toloka.store import Document, Store

OWNER = {"id": "ac1e5e00000000000000000000000001", "myself": True, "company_id": "1"}


class Exchange:
    """Every change of a pool's or an assignment's state. All methods work in a transaction of the store."""

    def __init__(self, store: Store, account: Account) -> None:
        self.store = store
        self.account = account
        self._boards: dict[str, Board] = {}
        store.on_rollback.append(self._boards.clear)

    # Pools

    def pool(self, pool_id: str) -> Document:
        """A pool or a training by its id (they share their ids); raises DOES_NOT_EXIST."""
        found = self.store.get("pools", pool_id) or self.store.get("trainings", pool_id)
        if found is None:
            raise not_found("pool", pool_id)
        return found

    def board(self, pool_id: str) -> Board:
        if pool_id not in self._boards:
            self._boards[pool_id] = Board.load(self.store, self.pool(pool_id))
        return self._boards[pool_id]

    def forget(self, pool_id: str) -> None:
        """Forgets the pool's board: its next use reads the pool again. Call it after changes to the pool or its tasks."""
        self._boards.pop(pool_id, None)

    def save_pool(self, pool: Document) -> None:
        self.store.put("trainings" if pool["type"] == "TRAINING" else "pools", pool)
        self.forget(pool["id"])

    def open_pools(self) -> list[Document]:
        is_open = [("status", "=", "OPEN")]
        return self.store.find("pools", is_open) + self.store.find("trainings", is_open)

    def check_can_open(self, pool: Document) -> None:
        if pool["status"] != "CLOSED":
            raise wrong_status("pool", pool["id"], pool["status"], "CLOSED")
        if not self.store.find("tasks", [("pool_id", "=", pool["id"])], limit=1):
            raise conflict("EMPTY_POOL", f"pool {pool['id']} has no tasks", pool_id=pool["id"])
        if pool["type"] != "TRAINING":
            if times.seconds(pool["will_expire"]) <= time.time():
                raise ApiError(400, "VALIDATION_ERROR", "the pool has expired", {"will_expire": _PAST})
            self.account.require(page_price(pool["reward_per_assignment"]))

    def open_pool(self, pool_id: str) -> None:
        with self.store.transaction():
            pool = self.pool(pool_id)
            if pool["status"] != "OPEN":
                self.check_can_open(pool)
                self.save_pool(pool | {"status": "OPEN", "last_started": times.now_text()})

    def close_pool(self, pool_id: str, reason: str) -> None:
        with self.store.transaction():
            pool = self.pool(pool_id)
            if pool["status"] == "OPEN":
                changes = {"status": "CLOSED", "last_close_reason": reason, "last_stopped": times.now_text()}
                self.save_pool(pool | changes)

    # Pages

    def issue(self, pool_id: str, user_id: str, tasks: list[Document], created: str, due: float) -> Document | None:
        """Gives a page to a worker. If the balance does not cover it, closes the pool and returns None.

        `due`: when the worker will be done, in Unix seconds. The crowd finds it again after a restart.
        """
        with self.store.transaction():
            pool = self.pool(pool_id)
            reward = float(pool.get("reward_per_assignment") or 0)
            try:
                self.account.require(page_price(reward))
            except ApiError:
                self.close_pool(pool_id, "NOT_ENOUGH_BALANCE")
                return None
            self.account.reserve(page_price(reward))
            prefix = f"{int(pool_id):010x}--"
            assignment: Document = {
                "id": prefix + f"{self.store.next_id('assignments'):024x}",
                "task_suite_id": prefix + f"{self.store.next_id('task_suites'):024x}",
                "pool_id": pool_id,
                "user_id": user_id,
                "status": "ACTIVE",
                "reward": reward,
                "mixed": True,
                "automerged": False,
                "created": created,
                "tasks": [_shown(task) for task in tasks],
                "bonus_ids": [],
                "owner": OWNER,
                "_due": due,
            }
            self._save(assignment)
            return assignment

    def submit(self, assignment: Document, solutions: list[Document], submitted: str) -> Document:
        """Takes the answers of an ACTIVE page: SUBMITTED, or ACCEPTED at once if the pool accepts by itself."""
        with self.store.transaction():
            pool = self.pool(assignment["pool_id"])
            done = assignment | {"status": "SUBMITTED", "submitted": submitted, "solutions": solutions}
            if pool.get("auto_accept_solutions") or pool["type"] == "TRAINING":
                done |= {"status": "ACCEPTED", "accepted": submitted}
                self.account.spend_reserved(page_price(done["reward"]))
            self._save(done)
            if pool["type"] == "TRAINING":
                self._grade(done)
            self._event(done, "SUBMIT")
            if done["status"] == "ACCEPTED":
                self._event(done, "ACCEPT")
            return done

    def reopen(self, assignment: Document, due: float) -> Document:
        """Makes a SUBMITTED page ACTIVE again, for whoever handed it in. What the quality rules did meanwhile stays."""
        with self.store.transaction():
            if assignment["status"] != "SUBMITTED":
                raise wrong_status("assignment", assignment["id"], assignment["status"], "SUBMITTED")
            active = assignment | {"status": "ACTIVE", "_due": due}
            del active["submitted"], active["solutions"]
            self._save(active)
            return active

    def give_back(self, assignment: Document, status: str, moment: str) -> None:
        """Ends an ACTIVE page without answers, as SKIPPED or EXPIRED. Its places and its money are free again."""
        with self.store.transaction():
            self._save(assignment | {"status": status, status.lower(): moment})
            self.account.release(page_price(assignment["reward"]))
            self._event(assignment, "SKIP" if status == "SKIPPED" else "EXPIRE")

    def judge(self, assignment_id: str, status: str, comment: str | None) -> Document:
        """Accepts or rejects a submitted page. A rejected page can still be accepted. To do the same again changes nothing."""
        with self.store.transaction():
            assignment = self.store.get("assignments", assignment_id)
            if assignment is None:
                raise not_found("assignment", assignment_id)
            before = assignment["status"]
            if before == status:
                return assignment
            allowed = ("SUBMITTED", "REJECTED") if status == "ACCEPTED" else ("SUBMITTED",)
            if before not in allowed:
                raise wrong_status("assignment", assignment_id, before, *allowed)
            price = page_price(assignment["reward"])
            if status == "REJECTED":
                self.account.release(price)
            elif before == "REJECTED":
                self.account.spend(price)
            else:
                self.account.spend_reserved(price)
            assignment |= {"status": status, status.lower(): times.now_text()}
            if comment is not None:
                assignment["public_comment"] = comment
            self._save(assignment)
            event = "REJECT" if status == "REJECTED" else "ACCEPT"
            self._event(assignment, "ACCEPT_AFTER_REJECT" if before == "REJECTED" else event)
            return assignment

    def accept_overdue(self) -> None:
        """Accepts the pages that the requester has not judged for longer than the pool's auto_accept_period_day."""
        for pool in self.store.find("pools", [("auto_accept_period_day", ">", 0)]):
            limit = times.text(time.time() - 86_400 * pool["auto_accept_period_day"])
            here = [("pool_id", "=", pool["id"]), ("status", "=", "SUBMITTED"), ("submitted", "<", limit)]
            for assignment in self.store.find("assignments", here):
                self.judge(assignment["id"], "ACCEPTED", None)

    def change_overlap(self, pool_id: str, task_ids: Iterable[str], delta: int, reopen: bool) -> None:
        """Adds `delta` to the overlap of the pool's real tasks among `task_ids`. It never falls below the places that are taken."""
        with self.store.transaction():
            board = self.board(pool_id)
            tasks = [board.real[task_id] for task_id in task_ids if task_id in board.real]
            finite = [task for task in tasks if not task["infinite_overlap"]]
            changed = [task | {"overlap": max(task["overlap"] + delta, board.held[task["id"]], 1)} for task in finite]
            self.store.put("tasks", *changed)
            self.forget(pool_id)
            if reopen and delta > 0:
                self.open_pool(pool_id)

    def _save(self, assignment: Document) -> None:
        board = self.board(assignment["pool_id"])
        self.store.put("assignments", assignment)
        board.record(assignment)

    def quality_rules(self, pool: Document) -> list[Document]:
        """The quality rules of a pool and its project."""
        project = self.store.get("projects", pool["project_id"]) or {}
        return [
            config
            for holder in (pool, project)
            for config in (holder.get("quality_control") or {}).get("configs") or []
        ]

    def _event(self, assignment: Document, event: str) -> None:
        """Applies the quality rules of the pool and its project."""
        pool = self.pool(assignment["pool_id"])
        if configs := self.quality_rules(pool):
            user = assignment["user_id"]
            for action, statistics in met_rules(configs, self.board(pool["id"]), user, assignment, event):
                self._enforce(pool, assignment, action, statistics)

    def _enforce(self, pool: Document, assignment: Document, action: Document, statistics: Document) -> None:
        """Carries out one action of a quality rule that the assignment's user has met."""
        kind, parameters, user = action["type"], action.get("parameters") or {}, assignment["user_id"]
        if kind in ("RESTRICTION", "RESTRICTION_V2"):
            if ban(self.store, pool, user, parameters):
                self._event(assignment, "RESTRICTION")  # for the rules that watch workers
        elif kind == "SET_SKILL":
            set_skill(self.store, parameters["skill_id"], user, parameters["skill_value"])
        elif kind == "SET_SKILL_FROM_OUTPUT_FIELD":
            value = statistics.get(parameters["from_field"])
            if value is not None:
                set_skill(self.store, parameters["skill_id"], user, value)
        elif kind == "CHANGE_OVERLAP":
            self._enforce_overlap(pool, assignment, parameters, statistics)
        else:
            status = "REJECTED" if kind == "REJECT_ALL_ASSIGNMENTS" else "ACCEPTED"
            for page in list(self.board(pool["id"]).pages[user].values()):
                if page["status"] == "SUBMITTED":
                    self.judge(page["id"], status, parameters.get("public_comment"))

    def _enforce_overlap(
        self, pool: Document, assignment: Document, parameters: Document, statistics: Document
    ) -> None:
        """Asks for more answers to the tasks of the judged page. If a rule banned the worker: once, to all tasks that the worker answered."""
        pages = [assignment]
        if "assessment_event" not in statistics:
            marker = {"id": f"{pool['id']}:{assignment['user_id']}"}
            if self.store.get("overlap_changes", marker["id"]):
                return
            self.store.put("overlap_changes", marker)
            pages = list(self.board(pool["id"]).pages[assignment["user_id"]].values())
        task_ids = [task["id"] for page in pages for task in page["tasks"]]
        self.change_overlap(pool["id"], task_ids, parameters["delta"], bool(parameters.get("open_pool")))

    def _grade(self, exam: Document) -> None:
        right = sum(
            is_right(task, solution["output_values"])
            for task, solution in zip(exam["tasks"], exam["solutions"], strict=True)
        )
        result = {"id": f"{exam['pool_id']}:{exam['user_id']}", "value": 100 * right / len(exam["tasks"])}
        self.store.put("training_results", result)


_PAST = {"code": "DATE_OUT_OF_RANGE", "message": "lies in the past"}


def _shown(task: Document) -> Document:
    """A task as an assignment shows it."""
    return {name: task[name] for name in ("id", "pool_id", "input_values", "known_solutions") if name in task}
