"""Carries a plan out at Toloka so that a kill at any point, then a repeat, ends with one pool, each image once.

Projects and pools have no idempotency key at Toloka: they carry a marker and are looked for before they are created. That a
creation is about to be sent is recorded first, so that a repeat knows to wait for a listing that lags behind.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import tenacity

from driftwatch.annotation import project as specification
from driftwatch.annotation.links import ImageLinks
from driftwatch.annotation.plan import OverBudget
from driftwatch.config import MonitorConfig
from driftwatch.errors import DriftwatchError

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.annotation.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)

BATCH = 5_000
OPERATION_SECONDS = 1200


class AnnotationFailed(DriftwatchError):
    """Toloka refused or lost a part of the pool; nothing was opened."""


class Campaign:
    """One day's pool. `record` writes the plan (annotation.json) whenever a fact about the outside is learnt.

    `settle_seconds`: how long a listing may lag behind a creation that an earlier, killed run has sent.
    """

    def __init__(
        self,
        client: DriftwatchTolokaClient,
        config: MonitorConfig,
        plan: dict[str, Any],
        record: Callable[[dict[str, Any]], None],
        settle_seconds: float = 15.0,
    ) -> None:
        self.client = client
        self.config = config
        self.plan = plan
        self._record = record
        self._settle_seconds = settle_seconds

    def carry_out(self, links: ImageLinks) -> dict[str, Any]:
        """Ends with the day's pool open, or closed where it is complete already. Returns the plan with what was learnt."""
        if self.plan["pool_id"] is None:
            self._check_balance()
            self._note()
            self._note(project_id=self._project().id)
            self._note(pool_id=self._pool().id, state="created")
        self._upload(links)
        self._open()
        return self.plan

    def _note(self, **facts: Any) -> None:
        self.plan.update(facts)
        self._record(self.plan)

    def _check_balance(self) -> None:
        balance, total = float(self.client.get_requester().balance), self.plan["cost"]["total"]
        if balance < total:
            raise OverBudget(
                f"the Toloka account has {balance:.2f} USD and {self.plan['day']} needs {total:.2f} USD: top the account up; "
                "nothing was created"
            )

    def _found(self, find: Callable[[], Any], creating: str) -> Any:
        """What carries the marker; waits for a lagging listing where an earlier run may have created it."""
        found = find()
        if found is None and self.plan["state"] == creating:
            end = time.monotonic() + self._settle_seconds
            while found is None and time.monotonic() < end:
                time.sleep(1)
                found = find()
        return found

    def _project(self) -> toloka.Project:
        marker = specification.project_marker(self.config)
        wanted = specification.build_project(self.config)

        def find() -> Any:
            projects = self.client.get_projects(status="ACTIVE", batch_size=300)
            return next((project for project in projects if project.private_comment == marker), None)

        found = self._found(find, "creating_project")
        if found is None:
            self._note(state="creating_project")
            return self.client.create_project(wanted)
        same = (found.public_name, found.public_description, found.public_instructions) == (
            wanted.public_name,
            wanted.public_description,
            wanted.public_instructions,
        )
        return found if same else self.client.update_project(found.id, wanted)

    def _pool(self) -> toloka.Pool:
        marker = specification.pool_marker(self.config, self.plan["day"])

        def find() -> Any:
            pools = self.client.get_pools(project_id=self.plan["project_id"], batch_size=300)
            return next((pool for pool in pools if pool.private_comment == marker and not pool.is_archived()), None)

        found = self._found(find, "creating_pool")
        if found is not None:
            return found
        self._note(state="creating_pool")
        expires = datetime.fromisoformat(self.plan["expires"])
        return self.client.create_pool(
            specification.build_pool(self.config, self.plan["project_id"], self.plan["day"], expires)
        )

    def _tasks(self, links: ImageLinks) -> Iterator[tuple[str, dict[str, Any]]]:
        from toloka.client import Task

        for entry in [*self.plan["sample"], *self.plan["control"]]:
            values = {
                specification.IMAGE_FIELD: links.link(entry["image_id"], entry["key"]),
                specification.ID_FIELD: entry["image_id"],
            }
            if "label" in entry:
                solution = Task.KnownSolution(output_values={specification.ANSWER_FIELD: entry["label"]})
                yield (
                    entry["image_id"],
                    {"input_values": values, "known_solutions": [solution], "infinite_overlap": True},
                )
            else:
                yield entry["image_id"], {"input_values": values, "overlap": self.plan["overlap"]}

    def _existing(self) -> Counter[str]:
        tasks = self.client.get_tasks(pool_id=self.plan["pool_id"], batch_size=10_000)
        return Counter(task.input_values[specification.ID_FIELD] for task in tasks)

    def _upload(self, links: ImageLinks) -> None:
        from toloka.client import Task
        from toloka.client.exceptions import DoesNotExistApiError

        pool_id = self.plan["pool_id"]
        for operation_id in self.plan["operation_ids"]:
            # Sent by an earlier run that may have been killed while Toloka was still at it.
            try:
                self._wait(self.client.get_operation(operation_id))
            except DoesNotExistApiError:
                log.info("Operation %s was recorded but never reached Toloka", operation_id)
        existing = self._existing()
        missing = [(image_id, task) for image_id, task in self._tasks(links) if image_id not in existing]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            key = f"driftwatch:{pool_id}:{len(self.plan['operation_ids'])}:" + ",".join(
                image_id for image_id, _ in batch
            )
            operation_id = uuid5(NAMESPACE_URL, key)
            self._note(operation_ids=[*self.plan["operation_ids"], str(operation_id)])
            operation = self.client.create_tasks_async(
                [Task(pool_id=pool_id, **task) for _, task in batch],
                operation_id=operation_id,
                skip_invalid_items=False,
                allow_defaults=True,
            )
            log.info("Uploading tasks %s to %s of %s", start + 1, start + len(batch), len(missing))
            self._wait(operation)
            self._check_log(str(operation_id))
        self._check_complete()

    def _wait(self, operation: Any) -> Any:
        """The operation once Toloka has ended it, asked for ever less often; the kit's own wait swaps the log handlers."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda found: not found.is_completed()),
            wait=tenacity.wait_exponential(multiplier=0.1, max=5),
            stop=tenacity.stop_after_delay(OPERATION_SECONDS),
            retry_error_callback=self._unfinished,
        )
        return retrying(self.client.get_operation, operation.id)

    def _unfinished(self, state: tenacity.RetryCallState) -> None:
        raise AnnotationFailed(
            f"operation {state.args[0]} of pool {self.plan['pool_id']} has not ended within {OPERATION_SECONDS} s; the pool was not "
            "opened: run the task again, it continues from here"
        )

    def _check_log(self, operation_id: str) -> None:
        refused = [item for item in self.client.get_operation_log(operation_id) if not item.success]
        if refused:
            first = refused[0]
            image_id = (first.input or {}).get("input_values", {}).get(specification.ID_FIELD, "?")
            raise AnnotationFailed(
                f"Toloka refused {len(refused)} tasks of pool {self.plan['pool_id']} (operation {operation_id}), "
                f"the first for image {image_id}: {first.output}; the pool was not opened"
            )

    def _check_complete(self) -> None:
        wanted = Counter(entry["image_id"] for entry in [*self.plan["sample"], *self.plan["control"]])
        existing = self._existing()
        if existing != wanted:
            missing, extra = wanted - existing, existing - wanted
            raise AnnotationFailed(
                f"pool {self.plan['pool_id']} lacks {missing.total()} tasks and has {extra.total()} that the plan does not; "
                "it was not opened: run the task again, and look at the pool in Toloka if this stays"
            )

    def _open(self) -> None:
        pool = self.client.get_pool(self.plan["pool_id"])
        reason = pool.last_close_reason
        if pool.is_open() or (pool.is_closed() and reason is not None and reason.value != "MANUAL"):
            log.info(
                "Pool %s is %s already (%s)", pool.id, pool.status.value, reason.value if reason else "never closed"
            )
        else:
            operation = self.client.open_pool_async(pool.id)
            if operation is not None and self._wait(operation).status.value == "FAIL":
                raise AnnotationFailed(
                    f"Toloka did not open pool {pool.id}: {self.client.get_operation_log(operation.id)}"
                )
        self._note(state="opened")
