"""What Label Studio answers, as far as it is used; other fields are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

# By which the answer is named in a project's label configuration.
ANSWER = "answer"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(_Record):
    id: int
    email: str = ""


class Version(_Record):
    release: str


class TokenKinds(_Record):
    """Which kinds of token a server takes."""

    personal: bool = Field(alias="api_tokens_enabled")
    legacy: bool = Field(alias="legacy_api_tokens_enabled")


class FoundProject(_Record):
    id: int
    title: str
    task_number: int | None = None


class Projects(_Record):
    """A page of the list of projects."""

    results: tuple[FoundProject, ...]
    next: str | None = None


class Project(_Record):
    """`overlap`: of what is imported now; 0 closes. `finished`: tasks that have their answers, or are closed. `answers`: all that were given,
    repeated ones too."""

    id: int
    title: str
    description: str | None = None
    overlap: int = Field(alias="maximum_annotations")
    tasks: int = Field(alias="task_number")
    finished: int = Field(alias="finished_task_number")
    answers: int = Field(0, alias="total_annotations_number")
    controls: dict[str, Any] = Field(default_factory=dict, alias="parsed_label_config")

    @property
    def choices(self) -> frozenset[str]:
        """What people could choose from."""
        return frozenset(self.controls.get(ANSWER, {}).get("labels", ()))


class TaskState(_Record):
    """A task without its answers. `finished`: it has its answers, or is closed; an overlap of 0 closes."""

    id: int
    data: dict[str, Any]
    overlap: int
    finished: bool = Field(alias="is_labeled")
    answers: int = Field(0, alias="total_annotations")


class TaskPage(_Record):
    """A page of the list of tasks."""

    total: int
    tasks: list[TaskState]


class Annotation(_Record):
    """What somebody answered. `person`: whose it is, None for somebody who is gone. `changed_by`: who sent it last."""

    id: int
    person: int | None = Field(alias="completed_by")
    changed_by: int | None = Field(None, alias="updated_by")
    skipped: bool = Field(False, alias="was_cancelled")
    created: datetime = Field(alias="created_at")
    changed: datetime = Field(alias="updated_at")
    seconds: float | None = Field(None, alias="lead_time")
    result: list[dict[str, Any]] | None = None


class ExportedTask(_Record):
    """A task with its answers."""

    id: int
    data: dict[str, Any]
    annotations: tuple[Annotation, ...]
