"""What Driftwatch and the desk say to each other: the bodies of the desk's HTTP API, for its client and its server alike.

    PUT  /api/v1/batches/{key}           Batch       makes the day's job, or finds it as it is
    PUT  /api/v1/batches/{key}/tasks     Tasks       brings images into it; those that are there already stay, with the new links
    POST /api/v1/batches/{key}/open      ToOpen      from now on people see it
    GET  /api/v1/batches/{key}                       BatchState
    GET  /api/v1/batches/{key}/progress              BatchProgress
    GET  /api/v1/batches/{key}/answers?after=&limit= GivenAnswers
    POST /api/v1/batches/{key}/links     NewLinks    other addresses for the same images
    POST /api/v1/batches/{key}/blank     NewNames    other names for images that are forgotten, and no link to them
    POST /api/v1/batches/{key}/close                 ends it
    GET  /api/v1/account                             Account

Each request may be repeated. Errors are `{"message": "a sentence"}`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

API = "/api/v1"
MOST_TASKS = 1000  # in one request
MOST_ANSWERS = 5000
State = Literal["draft", "open", "closed"]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
Text = Annotated[str, Field(max_length=20_000)]
Link = Annotated[str, Field(min_length=1, max_length=8_000, pattern=r"^https?://")]
ImageId = Annotated[str, Field(min_length=1, max_length=200)]


class Wire(BaseModel):
    """Base of the bodies: nothing in them changes, and a field that is not known is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rules(Wire):
    """What an annotator must do well; `labels.quality` says what each means."""

    control_history: int
    control_min_answers: int
    control_min_correct_percent: float
    fast_seconds: int
    fast_max: int
    skipped_in_row: int
    ban_days: int


class Batch(Wire):
    """A day's job. `project`: whoever is shut out of one batch is shut out of all of its project. `ends`: from then on no answer is taken."""

    project: Key
    title: Text
    day: Text
    question: Text
    instructions: Text
    classes: tuple[Text, ...] = Field(min_length=1, max_length=10_000)
    unclear: Text | None
    overlap: int = Field(ge=1, le=50)
    tasks_per_page: int = Field(ge=1, le=100)
    control_per_page: int = Field(ge=0, le=50)
    page_seconds: int = Field(ge=30, le=86_400)
    ends: AwareDatetime
    rules: Rules


class NewTask(Wire):
    """An image to label. `known` is the class of a control task, which no annotator is told."""

    image_id: ImageId
    link: Link
    known: Text | None = None


class Tasks(Wire):
    """Tasks for a batch."""

    tasks: tuple[NewTask, ...] = Field(min_length=1, max_length=MOST_TASKS)


class ToOpen(Wire):
    """Opens a batch that has exactly so many tasks, control tasks included: half a batch is never shown."""

    tasks: int = Field(ge=1)


class NewLinks(Wire):
    """Addresses by image id."""

    links: dict[ImageId, Link] = Field(min_length=1, max_length=MOST_TASKS)


class NewNames(Wire):
    """Names that take the place of image ids."""

    names: dict[ImageId, ImageId] = Field(min_length=1, max_length=MOST_TASKS)


class Blanked(Wire):
    """How many tasks were blanked."""

    tasks: int


class BatchState(Wire):
    """How a batch stands. `close_reason`: COMPLETED, EXPIRED or MANUAL; None before its end."""

    key: str
    state: State
    ends: datetime
    tasks: int
    close_reason: str | None = None


class BatchProgress(Wire):
    """`answered_images` of the sample have `answers` together. `hours`: how long people worked, also on control tasks and on answers that were
    taken back."""

    answered_images: int
    answers: int
    hours: float


class GivenAnswer(Wire):
    """What a person answered last for one image. `counted`: False where the page was answered too fast. `page_seconds`: how long the person
    took for the whole page."""

    page: str
    person: str
    image_id: str
    answer: str
    known: str | None
    counted: bool
    given: datetime
    page_seconds: float


class GivenAnswers(Wire):
    """Some answers, and what to ask for to get those after them; None after the last ones."""

    answers: tuple[GivenAnswer, ...]
    after: int | None


class Account(Wire):
    """Who asks, and how many people may label."""

    name: str
    people: int
