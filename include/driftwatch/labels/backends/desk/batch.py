"""A day's plan as the desk's batch."""

from __future__ import annotations

from collections.abc import Iterator

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.desk.wire import Batch, NewTask, Rules
from driftwatch.labels.links import ImageLinks


def key_of(config: MonitorConfig, plan: AnnotationPlan) -> str:
    """Finds the batch of the day, or of one of its supplements, again, whatever became of the plan."""
    return f"{config.name}.{plan.title.replace(' ', '.')}"


def batch_of(config: MonitorConfig, plan: AnnotationPlan) -> Batch:
    """The day's job, without its tasks."""
    labels = config.labels
    rules = {name: getattr(labels.quality, name) for name in Rules.model_fields}
    return Batch(
        project=config.name,
        title=labels.project_name,
        day=plan.title,
        question=labels.question,
        instructions=labels.instructions,
        classes=config.classes,
        unclear=labels.unclear_answer,
        overlap=plan.overlap,
        tasks_per_page=labels.tasks_per_page,
        control_per_page=labels.control_tasks_per_page,
        page_seconds=labels.page_seconds,
        ends=plan.expires,
        rules=Rules(**rules),
    )


def tasks_of(plan: AnnotationPlan, links: ImageLinks) -> list[NewTask]:
    """The plan's images and control tasks, with their links."""
    return [*_sample(plan, links), *_control(plan, links)]


def _sample(plan: AnnotationPlan, links: ImageLinks) -> Iterator[NewTask]:
    for image in plan.to_label:
        yield NewTask(image_id=image.image_id, link=links.link(image.image_id, image.key))


def _control(plan: AnnotationPlan, links: ImageLinks) -> Iterator[NewTask]:
    for task in plan.control:
        yield NewTask(image_id=task.image_id, link=links.link(task.image_id, task.key), known=task.label)
