"""What people's pages and the report take for granted of a stored artifact: its fields and their kinds.

A file that another hand wrote, or that was cut in the middle, is found out here, and named with the field, before it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from driftwatch.errors import DamagedArtifact

if TYPE_CHECKING:
    from driftwatch.storage import Storage


class Shape(BaseModel):
    """Some fields of an artifact; it may have more."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Share(Shape):
    value: float | None
    low: float | None
    high: float | None


class Measured(Share):
    n: int


class Found(Shape):
    """A feature of drift.json or content_drift.json."""

    feature: str
    verdict: str | None
    p_value: float | None
    effect: float | None
    test: str | None = None
    direction: str | None = None
    reference_quantiles: list[float] | None = None
    day_quantiles: list[float] | None = None


class Verdict(Shape):
    verdict: str


class Drift(Verdict):
    p_value: float | None
    n: int
    false_alarm_rate: float
    drifted_features: list[str]
    features: list[Found]
    hellinger: dict[str, float | None] = {}
    trend: Verdict | None = None
    reference_version: str | None = None
    examples: list[str] = []


class ContentDrift(Shape):
    content: Verdict
    predictions: Verdict


class Ingest(Shape):
    listed: int
    accepted: int
    duplicate: int
    quarantined: int
    reasons: dict[str, int]
    model_version: str


class Estimate(Shape):
    accuracy: Share
    answers: dict[str, Any] | None


class OfClass(Shape):
    precision: Share
    recall: Share
    f1: Share
    support: int


class Confusion(Shape):
    labels: list[str]
    rows: list[list[int]]


class Agreement(Shape):
    alpha: float | None
    unanimous: float | None
    votes: int
    control_answers: int
    control_right: int


class Performance(Verdict):
    accuracy: Measured
    floor: float
    labels: int
    sampled: int
    model_version: str
    reasons: list[str]
    agreement: Agreement
    classes: dict[str, OfClass]
    confusion_matrix: Confusion
    holdout_accuracy: Share | float | None
    corrected: Share | None = None
    estimated: Share | None = None


class Cost(Shape):
    total: float


class Spent(Shape):
    """What a plan keeps of its pool's progress."""

    spent: float


class Progress(Spent):
    """annotation_progress.json."""

    text: str


class Annotation(Shape):
    sample: list[Any]
    cost: Cost
    overlap: int
    progress: Spent | None = None


class LateFiles(Shape):
    """late_files.json."""

    files: int


class Upload(Shape):
    kind: str
    sink: str
    state: str


class Uploads(Shape):
    """published.json."""

    uploads: list[Upload]


class Holdout(Shape):
    accuracy: Share | float | None
    n: int


class Metrics(Shape):
    holdout: Holdout


class Card(Shape):
    """models/<version>/card.json."""

    created_by: str
    parent: str | None = None
    metrics: Metrics


class Pointer(Shape):
    """models/champion.json."""

    version: str
    previous: str | None
    history: list[str] = []


def read_checked(storage: Storage, key: str, shape: type[Shape], whole: bool = True) -> dict[str, Any]:
    """The JSON object of `key`, as it is stored. Raises DamagedArtifact, with its name and the field, where it has not this shape.

    `whole`: whether a field that is missing counts too; a page that shows what is there does not mind.
    """
    value = storage.read_json(key)
    if not isinstance(value, dict):
        raise DamagedArtifact(
            f"{storage.url(key)} holds a {type(value).__name__}, not an object: restore it, or clear the task that writes it"
        )
    try:
        shape.model_validate(value)
    except ValidationError as error:
        problems = [found for found in error.errors() if whole or found["type"] != "missing"]
        if problems:
            field = ".".join(map(str, problems[0]["loc"]))
            raise DamagedArtifact(
                f"{storage.url(key)}: {field}: {problems[0]['msg']}: restore it, or clear the task that writes it"
            ) from None
    return value
