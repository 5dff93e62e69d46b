"""A day's project in Label Studio: its name, what people see in it, and what its description says of its end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any
from xml.sax.saxutils import quoteattr

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.label_studio.records import ANSWER
from driftwatch.labels.choices import choices_of
from driftwatch.labels.clean_html import clean_html

_TITLE = 50  # letters that a title may have
# More choices than a person looks through: there is a field to find one by typing.
_MANY = 20
# What Label Studio itself takes for choices, in its order.
_KEYS = "123456789" + "0qwetasdfgzxcvb"
_OWN = re.compile(r"(?P<name>(?P<day>\d{4}-\d\d-\d\d).*) (?P<key>[0-9a-f]{12})$")
_END = re.compile(r"Answers count until ([0-9T:-]+Z)\.")
_CLOSED = re.compile(r"(Complete, closed|Closed) at ([0-9T:-]+Z)\.")


def key_of(monitor: str, name: str) -> str:
    """By which a plan's project is found again: its title ends in it. `name`: the plan's."""
    return hashlib.sha256(f"{monitor}/{name}".encode()).hexdigest()[:12]


def title_of(config: MonitorConfig, name: str) -> str:
    end = f" {name} {key_of(config.name, name)}"
    return f"{config.labels.project_name.strip()[: _TITLE - len(end)]}{end}"


def day_of(title: str, monitor: str) -> date | None:
    """The day of a project that was made for the monitor, by its title; None for any other project."""
    found = _OWN.search(title)
    if found is None or found["key"] != key_of(monitor, found["name"]):
        return None
    return date.fromisoformat(found["day"])


@dataclass(frozen=True)
class Standing:
    """What a project's description says: until when answers count, and since when it is closed, if it is. All times are aware.

    `complete`: it had every answer when it was closed.
    """

    ends: datetime
    closed: datetime | None = None
    complete: bool = False

    @classmethod
    def of(cls, project_id: str, description: str | None) -> Standing:
        """Reads it. Raises NeedsAttention where somebody has removed the sentence."""
        text = description or ""
        end, closed = _END.search(text), _CLOSED.search(text)
        try:
            return cls(
                _time(end[1] if end else ""), _time(closed[2]) if closed else None, bool(closed and " " in closed[1])
            )
        except ValueError as error:
            raise NeedsAttention(
                f"the description of project {project_id} in Label Studio no longer says until when its answers count: write "
                "`Answers count until 2026-01-31T18:00:00Z.` into it, with the right time, then clear the task"
            ) from error

    def text(self, monitor: str, name: str) -> str:
        """The description that says it, for the monitor's plan of that name."""
        return f"Driftwatch: {monitor} {name}. Answers count until {_written(self.ends)}.{closing(self)}"


def closing(standing: Standing) -> str:
    """The sentence about the close; empty while it is open."""
    if standing.closed is None:
        return ""
    return f" {'Complete, closed' if standing.complete else 'Closed'} at {_written(standing.closed)}."


def new_project(config: MonitorConfig, plan: AnnotationPlan) -> dict[str, Any]:
    """The fields of a project that is closed: nobody is offered what is imported into it."""
    labels, name = config.labels, plan.title
    return {
        "title": title_of(config, name),
        "description": Standing(plan.expires).text(config.name, name),
        "label_config": label_config(labels.question, choices_of(config)),
        "expert_instruction": clean_html(labels.instructions) or "<p></p>",
        "show_instruction": True,
        "maximum_annotations": 0,
        "sampling": "Sequential sampling",
        "show_skip_button": False,
        "enable_empty_annotation": False,
        "show_collab_predictions": False,
    }


def label_config(question: str, choices: Sequence[str]) -> str:
    """Label Studio's XML: the question, the image, the choices with their keys."""
    keys = hotkeys(choices)
    listed = "".join(
        f"<Choice value={quoteattr(choice)}" + (f" hotkey={quoteattr(keys[choice])}/>" if choice in keys else "/>")
        for choice in choices
    )
    find = f'<Filter name="find" toName="{ANSWER}" minlength="0" placeholder="Type to find"/>'
    return (
        f'<View><Header value={quoteattr(question)}/><Image name="image" value="$image" maxHeight="60vh"/>'
        + (find if len(choices) > _MANY else "")
        + f'<Choices name="{ANSWER}" toName="image" choice="single" required="true" showInline="true">{listed}</Choices></View>'
    )


def hotkeys(choices: Sequence[str]) -> dict[str, str]:
    """A key for each choice, as far as there are keys. The key of a choice that is a digit is that digit."""
    own = {choice: choice for choice in choices if len(choice) == 1 and choice.isascii() and choice.isdigit()}
    free = [key for key in _KEYS if key not in own.values()]
    others = [choice for choice in choices if choice not in own]
    return {**own, **dict(zip(others, free, strict=False))}


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def _written(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
