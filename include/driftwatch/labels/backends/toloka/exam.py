"""The exam that admits annotators to a monitor's pools: a Toloka training with known answers, shared by the days.

Its image links end like all links do, within seven days on S3. So a training is used as long as its links outlive the day's pool;
after that a new one takes its place, and annotators take the exam again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import ExamPlan
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka import project as specification
from driftwatch.labels.backends.toloka.journal import Journal
from driftwatch.labels.backends.toloka.upload import AnnotationFailed, TaskUpload
from driftwatch.labels.links import ImageLinks

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)
_LINKS_END = "driftwatch_links_end"


@dataclass(frozen=True)
class Exam:
    """The exam of a day's plan, which the `journal` has."""

    client: DriftwatchTolokaClient
    config: MonitorConfig
    journal: Journal
    wanted: ExamPlan

    @property
    def marker(self) -> str:
        """Finds the monitor's trainings again: other images or settings make another training."""
        images = [task.image_id for task in self.wanted.tasks]
        parts = [*images, self.wanted.retry_after_days, self.journal.plan.project_id]
        digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]
        return f"driftwatch:{self.config.name}:exam:{digest}"

    def open(self, links: ImageLinks) -> str:
        """The id of an open, complete training whose links outlive the day's pool; found, finished, or created."""
        training = self.journal.find_or_create("exam", self._found, lambda: self.client.create_training(self._new()))
        if training.is_open():
            return training.id
        ends = datetime.fromisoformat(training.metadata[_LINKS_END][0])
        shown = dataclasses.replace(links, expires=ends)
        tasks = [
            specification.known_task(shown, task, message_on_unknown_solution=f"The right answer is {task.label}.")
            for task in self.wanted.tasks
        ]
        uploading = TaskUpload(self.client, training.id, self.journal.settle_seconds)
        uploading.bring(tasks, self.journal.note_operation)
        operation = self.client.open_training_async(training.id)
        if operation is not None and uploading.wait(operation).status.value == "FAIL":
            raise AnnotationFailed(
                f"Toloka did not open training {training.id}: {operation.details}; run the task again"
            )
        log.info("The exam is training %s, its links end at %s", training.id, ends)
        return training.id

    def _found(self) -> Iterable[toloka.Training]:
        marker, needed = self.marker, self.journal.plan.links_expire
        trainings = self.client.get_trainings(project_id=self.journal.plan.project_id, batch_size=300)
        return (item for item in trainings if item.private_name == marker and _usable(item, needed))

    def _new(self) -> toloka.Training:
        import toloka.client as toloka

        return toloka.Training(
            project_id=self.journal.plan.project_id,
            private_name=self.marker,
            may_contain_adult_content=False,
            assignment_max_duration_seconds=self.config.labels.page_seconds,
            mix_tasks_in_creation_order=True,
            shuffle_tasks_in_task_suite=True,
            training_tasks_in_task_suite_count=len(self.wanted.tasks),
            task_suites_required_to_pass=1,
            retry_training_after_days=self.wanted.retry_after_days,
            inherited_instructions=True,
            metadata={_LINKS_END: [self.wanted.links_end.isoformat(timespec="seconds")]},
        )


def _usable(training: toloka.Training, needed: datetime) -> bool:
    ends: list[str] = (training.metadata or {}).get(_LINKS_END, [])
    return not training.is_archived() and bool(ends) and datetime.fromisoformat(ends[0]) >= needed
