"""Where tasks come from and where answers go: what a source of labelling work does for the page, and the types that pass between them.

Errors that a person should read are raised as `Refused`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import JsonValue

Values = Mapping[str, JsonValue]  # the inputs of a task or one answer to it, by field


class Refused(Exception):
    """Ends a request with an HTTP status and a sentence for the person at the page. At 409 the page asks for its tasks again."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Option:
    """One answer to choose. `value` is kept; `label` stands on the button."""

    value: JsonValue
    label: str


@dataclass(frozen=True)
class ImagePart:
    """Shows the image whose address is the task's input `field`."""

    field: str
    kind: Literal["image"] = "image"


@dataclass(frozen=True)
class TextPart:
    """Shows a text as it is."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class ChoicePart:
    """Asks for one of the options. The chosen one becomes the value `field` of the answer. `unclear` is the value of the option for images
    that are broken or cannot be decided; None if there is no such option."""

    field: str
    label: str
    options: Sequence[Option]
    hint: str = ""
    unclear: JsonValue = None
    kind: Literal["choice"] = "choice"


@dataclass(frozen=True)
class Shortcut:
    """The value that a key sets."""

    field: str
    value: JsonValue


@dataclass(frozen=True)
class View:
    """How each task of a page is drawn. `parts`: from top to bottom; `skip`: whether a page may be given back.

    `keys`: shortcuts by what is typed, one character or several digits; none is the beginning of another. The page has the letters i, s, u
    and z for itself. `driftwatch.labels.hotkeys` gives such keys.
    """

    parts: Sequence[ImagePart | TextPart | ChoicePart]
    keys: Mapping[str, Shortcut]
    skip: bool


@dataclass(frozen=True)
class Pool:
    """Tasks that belong together. `instructions` is HTML. `done` is in percent. `closed_to_you` says why the person may not enter."""

    id: str
    name: str
    project: str
    instructions: str
    done: int
    closed_to_you: str = ""


@dataclass(frozen=True)
class Task:
    """One image to label. `inputs` holds only what the person may see. A control task (its answer is known) looks like any other."""

    id: str
    inputs: Values


@dataclass(frozen=True)
class Haste:
    """How near the person is to being shut out for haste: `fast` of the pages that count were answered in less than `seconds`, and with
    `most` of them the person is shut out."""

    fast: int
    most: int
    seconds: float


@dataclass(frozen=True)
class Page:
    """Tasks that one person gets together. `answers`: those that are kept so far, by task. `due`: when the page is over, in Unix seconds.

    `done` is the pool's, in percent. `haste` is None where nobody is shut out for haste.
    """

    id: str
    tasks: Sequence[Task]
    view: View
    due: float
    done: int
    answers: Mapping[str, Values] = field(default_factory=dict)
    haste: Haste | None = None


@dataclass(frozen=True)
class Progress:
    """How far a page is. `handed_in`: this was its last answer."""

    answered: int
    of: int
    handed_in: bool


@dataclass(frozen=True)
class TakenBack:
    """What an undo brought back: the task whose answer was taken back, and its page with the answers that it still has."""

    task_id: str
    page: Page


@dataclass(frozen=True)
class Work:
    """What a person has done for a pool: `answered` tasks (control tasks too: nothing tells them apart) in `seconds`.

    `more`: whether tasks may still come to the person, for example because somebody else gives a page back.
    """

    answered: int
    seconds: float
    more: bool


class TaskSource(Protocol):
    """Hands out pages to people and keeps their answers. `person` is the name under which somebody logged in.

    Calls come from several threads at once. A page belongs to whoever took it; for anybody else, Refused 404 is raised. For a page that
    is over (handed in, given back, or past its time), Refused 409 is raised.
    """

    def pools(self, person: str) -> Sequence[Pool]:
        """The open pools, also those that the person may not enter."""

    def page(self, person: str, pool_id: str) -> Page | None:
        """The page that the person works on, else the pool's next page. None if there is none now. Asked again, its links are fresh."""

    def answer(self, person: str, page_id: str, task_id: str, values: Values) -> Progress:
        """Keeps one answer before it returns. It replaces an earlier answer. Raises Refused 400 for values that are not allowed."""

    def undo(self, person: str, pool_id: str) -> TakenBack | None:
        """Takes back the person's newest answer in the pool. None if there is none that can be taken back.

        If the page under way has no answer, the page that was handed in before it is open again, as long as nobody has judged it and its
        pool is open. That page then comes first; the one under way stays the person's and comes after it.
        """

    def work(self, person: str, pool_id: str) -> Work:
        """What the person has done for the pool, which may be closed by now."""

    def skip(self, person: str, page_id: str) -> None:
        """Gives the page back. Its answers are lost."""
