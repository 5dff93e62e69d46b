"""Puts tasks into a pool, or a training, so that each image is there once whatever was interrupted before.

The tasks are cut into batches by the plan alone, and each batch has operation ids that are derived from the pool and the batch.
Toloka takes an operation id once, so a batch whose operation has succeeded is never sent again, even where the listing of the
tasks lags behind; one whose operation has failed goes on under the next id.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import tenacity

from driftwatch.errors import DriftwatchError
from driftwatch.labels.backends.toloka.project import ID_FIELD, ImageTask

if TYPE_CHECKING:
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)

BATCH = 5_000
OPERATION_SECONDS = 1200
_MAX_ATTEMPTS = 20


class AnnotationFailed(DriftwatchError):
    """Toloka refused or lost a part of the pool; nothing was opened."""


class TaskUpload:
    """Brings tasks into one pool or training. `settle_seconds`: how long a listing may lag behind what was created."""

    def __init__(self, client: DriftwatchTolokaClient, pool_id: str, settle_seconds: float) -> None:
        self.client = client
        self.pool_id = pool_id
        self._settle_seconds = settle_seconds

    def bring(self, tasks: Sequence[ImageTask], note: Callable[[str], None]) -> None:
        """Ends with exactly `tasks` in the pool. `note` is told each operation id before it is sent.

        Raises AnnotationFailed, naming the first image, where Toloka refuses tasks or the pool holds others.
        """
        existing = self._existing()
        for start in range(0, len(tasks), BATCH):
            batch = tasks[start : start + BATCH]
            operation_id = self._unused_id(batch)
            if operation_id is None:
                continue
            missing = [task for task in batch if task.image_id not in existing]
            if missing:
                log.info("Uploading tasks %s to %s of %s", start + 1, start + len(batch), len(tasks))
                note(operation_id)
                self._send(operation_id, missing)
        self._check_complete(tasks)

    def _unused_id(self, batch: Sequence[ImageTask]) -> str | None:
        """The batch's first operation id that Toloka does not know; None where one of them has succeeded."""
        for operation_id in self._operation_ids(batch):
            operation = self._known_operation(operation_id)
            if operation is None:
                return operation_id
            if self.wait(operation).status.value == "SUCCESS":
                return None
        raise AnnotationFailed(
            f"Toloka failed {_MAX_ATTEMPTS} uploads of the same tasks to pool {self.pool_id}; the pool was not opened: look at "
            "its operations in Toloka"
        )

    def _operation_ids(self, batch: Sequence[ImageTask]) -> Iterator[str]:
        images = ",".join(task.image_id for task in batch)
        for attempt in range(_MAX_ATTEMPTS):
            yield str(uuid5(NAMESPACE_URL, f"driftwatch:{self.pool_id}:{attempt}:{images}"))

    def _known_operation(self, operation_id: str) -> Any:
        from toloka.client.exceptions import DoesNotExistApiError

        try:
            return self.client.get_operation(operation_id)
        except DoesNotExistApiError:
            return None

    def _send(self, operation_id: str, tasks: Sequence[ImageTask]) -> None:
        from toloka.client import Task

        operation = self.client.create_tasks_async(
            [Task(pool_id=self.pool_id, **task.arguments) for task in tasks],
            operation_id=operation_id,
            skip_invalid_items=False,
            allow_defaults=True,
        )
        ended = self.wait(operation)
        refused = [item for item in self.client.get_operation_log(operation_id) if not item.success]
        if refused or ended.status.value != "SUCCESS":
            first = refused[0] if refused else None
            image_id = ((first and first.input) or {}).get("input_values", {}).get(ID_FIELD, "?")
            why = f"the first for image {image_id}: {first.output}" if first else f"{ended.details}"
            raise AnnotationFailed(
                f"Toloka refused {len(refused) or len(tasks)} tasks of pool {self.pool_id} (operation {operation_id}), {why}; "
                "the pool was not opened: run the task again, it sends them anew"
            )

    def wait(self, operation: Any) -> Any:
        """The operation once Toloka has ended it, asked for ever less often; the kit's own wait swaps the log handlers."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda found: not found.is_completed()),
            wait=tenacity.wait_exponential(multiplier=0.1, max=5),
            stop=tenacity.stop_after_delay(OPERATION_SECONDS),
            retry_error_callback=self._unfinished,
        )
        return operation if operation.is_completed() else retrying(self.client.get_operation, operation.id)

    def _unfinished(self, state: tenacity.RetryCallState) -> None:
        raise AnnotationFailed(
            f"operation {state.args[0]} of pool {self.pool_id} has not ended within {OPERATION_SECONDS} s; the pool was not "
            "opened: run the task again, it continues from here"
        )

    def _existing(self) -> Counter[str]:
        tasks = self.client.get_tasks(pool_id=self.pool_id, batch_size=10_000)
        return Counter(task.input_values[ID_FIELD] for task in tasks)

    def _check_complete(self, tasks: Sequence[ImageTask]) -> None:
        wanted = Counter(task.image_id for task in tasks)
        end = time.monotonic() + self._settle_seconds
        while (existing := self._existing()) != wanted and not existing - wanted and time.monotonic() < end:
            time.sleep(min(1.0, self._settle_seconds / 5))
        if existing != wanted:
            missing, extra = wanted - existing, existing - wanted
            raise AnnotationFailed(
                f"pool {self.pool_id} lacks {missing.total()} tasks and has {extra.total()} that the plan does not; "
                "it was not opened: run the task again, and look at the pool in Toloka if this stays"
            )
