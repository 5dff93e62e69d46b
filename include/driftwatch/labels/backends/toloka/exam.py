"""The exam that admits annotators to a monitor's pools: a Toloka training with known answers, shared by the days.

Its image links end like all links do, within seven days on S3. So a training is used as long as its links outlive the day's pool;
after that a new one takes its place, and annotators take the exam again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from driftwatch.labels.backends.toloka import project as specification
from driftwatch.labels.backends.toloka.upload import AnnotationFailed, TaskUpload
from driftwatch.labels.links import ImageLinks

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.labels.backends.toloka.pool import Campaign

log = logging.getLogger(__name__)
_LINKS_END = "driftwatch_links_end"


def exam_marker(campaign: Campaign) -> str:
    """Finds the monitor's trainings again: other images or settings make another training."""
    exam = campaign.plan["exam"]
    parts = [*(entry["image_id"] for entry in exam["tasks"]), exam["retry_after_days"], campaign.plan["project_id"]]
    digest = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:12]
    return f"driftwatch:{campaign.config.name}:exam:{digest}"


def open_training(campaign: Campaign, links: ImageLinks) -> str:
    """The id of an open, complete training whose links outlive the day's pool; found, finished, or created."""
    plan, client = campaign.plan, campaign.client
    marker, needed = exam_marker(campaign), datetime.fromisoformat(plan["links_expire"])

    def find() -> Iterable[toloka.Training]:
        trainings = client.get_trainings(project_id=plan["project_id"], batch_size=300)
        return (item for item in trainings if item.private_name == marker and _usable(item, needed))

    training = campaign.find_or_create("exam", find, lambda: client.create_training(_training(campaign, marker)))
    if training.is_open():
        return training.id
    ends = datetime.fromisoformat(training.metadata[_LINKS_END][0])
    shown = dataclasses.replace(links, expires=ends)
    tasks = [
        specification.known_task(shown, entry, message_on_unknown_solution=f"The right answer is {entry['label']}.")
        for entry in plan["exam"]["tasks"]
    ]
    uploading = TaskUpload(client, training.id, campaign.settle_seconds)
    uploading.bring(tasks, campaign.note_operation)
    operation = client.open_training_async(training.id)
    if operation is not None and uploading.wait(operation).status.value == "FAIL":
        raise AnnotationFailed(f"Toloka did not open training {training.id}: {operation.details}; run the task again")
    log.info("The exam is training %s, its links end at %s", training.id, ends)
    return training.id


def _usable(training: toloka.Training, needed: datetime) -> bool:
    ends: list[str] = (training.metadata or {}).get(_LINKS_END, [])
    return not training.is_archived() and bool(ends) and datetime.fromisoformat(ends[0]) >= needed


def _training(campaign: Campaign, marker: str) -> Any:
    import toloka.client as toloka

    exam, annotation = campaign.plan["exam"], campaign.config.annotation
    return toloka.Training(
        project_id=campaign.plan["project_id"],
        private_name=marker,
        may_contain_adult_content=False,
        assignment_max_duration_seconds=annotation.page_seconds,
        mix_tasks_in_creation_order=True,
        shuffle_tasks_in_task_suite=True,
        training_tasks_in_task_suite_count=len(exam["tasks"]),
        task_suites_required_to_pass=1,
        retry_training_after_days=exam["retry_after_days"],
        inherited_instructions=True,
        metadata={_LINKS_END: [exam["links_end"]]},
    )
