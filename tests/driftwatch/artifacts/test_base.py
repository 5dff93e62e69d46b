"""Every JSON artifact is read by one function: what is older is upgraded, what is newer or damaged is refused with its name."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.parts import Number, Share
from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.storage import Storage, open_storage

from .samples import CARD, INGEST, PERFORMANCE, PLAN

KEY = "demo/days/2026-01-05/ingest.json"


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


class Second(base.Artifact):
    """The second form of an artifact, whose first had one text for both names."""

    VERSION: ClassVar[int] = 2

    first: str
    last: str
    born: Number | None = None

    @classmethod
    def upgraded(cls, found: dict[str, Any], version: int) -> dict[str, Any]:
        assert version == 1
        name = found.pop("name")
        return {**found, "first": name.split()[0], "last": name.split()[1]}


@pytest.mark.parametrize("first_form", [{"name": "Ada King"}, {"name": "Ada King", "schema_version": 1}])
def test_an_older_form_is_read_as_todays_and_written_as_todays(storage, first_form):
    storage.write_json("x.json", first_form)
    found = base.read(storage, "x.json", Second)
    assert found == Second(first="Ada", last="King")
    base.write(storage, "x.json", found)
    assert storage.read_json("x.json") == {"first": "Ada", "last": "King", "schema_version": 2}
    assert base.read(storage, "x.json", Second) == found


def test_the_version_of_a_file_is_no_field_of_what_is_read(storage):
    storage.write_json(KEY, INGEST)
    written = base.read(storage, KEY, Ingest)
    base.write(storage, KEY, written)
    assert storage.read_json(KEY)["schema_version"] == 1
    again = base.read(storage, KEY, Ingest)
    assert again == written
    assert again.model_dump(mode="json", exclude_unset=True) == INGEST


def test_a_newer_form_is_refused_with_what_to_do(storage):
    storage.write_json(KEY, {**INGEST, "schema_version": Ingest.VERSION + 1})
    with pytest.raises(
        base.NewerArtifact, match=r"ingest\.json has schema_version 2, and .* reads 1 at most: .* Upgrade this one"
    ):
        base.read(storage, KEY, Ingest)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None])
def test_a_schema_version_that_is_none_is_named(storage, version):
    storage.write_json(KEY, {**INGEST, "schema_version": version})
    with pytest.raises(DamagedArtifact, match=r"ingest\.json schema_version: .* allowed are whole numbers from 1"):
        base.read(storage, KEY, Ingest)


@pytest.mark.parametrize("data", [b"", b'{"day": "2026-', b"[1, 2]", b"null", b"\xff\xfe"])
def test_what_is_no_json_object_is_named_with_the_remedy(storage, data):
    storage.write_bytes(KEY, data)
    with pytest.raises(DamagedArtifact, match=r"ingest\.json .*clear ingest_images of 2026-01-05"):
        base.find(storage, KEY, Ingest)


@pytest.mark.parametrize(
    ("kind", "whole", "path", "value", "said"),
    [
        (Ingest, INGEST, ("accepted",), "12", "accepted: Input should be a valid integer"),
        (Ingest, INGEST, ("reasons", "truncated"), 1.5, "reasons.truncated: Input should be a valid integer"),
        (Ingest, INGEST, ("day",), "today", "day: Input should be a valid date"),
        (Performance, PERFORMANCE, ("accuracy", "value"), "good", "accuracy.value: Input should be a finite number"),
        (Performance, PERFORMANCE, ("confusion_matrix", "rows", 1), None, "confusion_matrix.rows.1: Input should be"),
        (Performance, PERFORMANCE, ("verdict",), "fine", "verdict: Input should be 'alert', 'ok' or 'not_enough_evidence'"),
        (AnnotationPlan, PLAN, ("sample", 0, "key"), 3, "sample.0.key: Input should be a valid string"),
        (AnnotationPlan, PLAN, ("expires",), "2026-01-06T00:00:00", "expires: Input should have timezone info"),
        (ModelCard, CARD, ("recipe", "epochs"), "many", "recipe.epochs: Input should be a valid integer"),
        (ModelCard, CARD, ("metrics", "holdout"), "good", "metrics.holdout: Input should be"),
    ],
)  # fmt: skip
def test_a_field_of_another_kind_is_named_as_the_file_has_it(storage, kind, whole, path, value, said):
    storage.write_json("demo/models/x.json", _with(whole, path, value))
    with pytest.raises(DamagedArtifact) as caught:
        base.read(storage, "demo/models/x.json", kind)
    assert f"demo/models/x.json {said}" in str(caught.value)


def test_a_field_that_is_missing_is_named_with_its_place(storage):
    whole = _with(PERFORMANCE, ("accuracy",), {"value": 1.0, "low": 0.9, "high": 1.0})
    storage.write_json("p.json", whole)
    with pytest.raises(DamagedArtifact, match=r"p\.json accuracy\.n: Field required"):
        base.read(storage, "p.json", Performance)


def test_what_is_not_there_is_missing_or_none(storage):
    assert base.find(storage, KEY, Ingest) is None
    with pytest.raises(MissingArtifact, match=r"ingest\.json"):
        base.read(storage, KEY, Ingest)


def test_those_that_are_there_are_found_in_order_and_a_damaged_one_is_named(storage):
    keys = [f"demo/days/2026-01-0{day}/ingest.json" for day in range(1, 6)]
    for key in (keys[3], keys[1]):
        storage.write_json(key, {**INGEST, "day": key.split("/")[2]})
    found = list(base.find_each(storage, keys, Ingest))
    assert [(key, one.day.isoformat()) for key, one in found] == [(keys[1], "2026-01-02"), (keys[3], "2026-01-04")]
    storage.write_bytes(keys[2], b"{")
    with pytest.raises(DamagedArtifact, match="2026-01-03"):
        list(base.find_each(storage, keys, Ingest))


@pytest.mark.parametrize(("kind", "whole", "path"), [
    (ModelCard, CARD, ()), (ModelCard, CARD, ("metrics", "holdout")), (ModelCard, CARD, ("recipe",)),
    (AnnotationPlan, PLAN, ()), (AnnotationPlan, PLAN, ("cost",)), (AnnotationPlan, PLAN, ("sample", 0)),
])  # fmt: skip
def test_what_is_rewritten_keeps_each_field_also_those_that_no_model_names(storage, kind, whole, path):
    before = _with(whole, (*path, "note"), {"by": ["hand", None, 1, 1.0]})
    storage.write_json("x.json", before)
    found = base.read(storage, "x.json", kind)
    changed = found.model_copy(update={"alerts": ()} if kind is ModelCard else {"state": "closed"})
    base.write(storage, "x.json", changed)
    expected = {
        **kind.upgraded({**before}, 1),
        **({"alerts": []} if kind is ModelCard else {"state": "closed"}),
        "schema_version": kind.VERSION,
    }
    assert storage.read_json("x.json") == expected


def test_null_and_not_there_stay_apart():
    share = {"value": None, "low": None, "high": None, "n": 0}
    assert Share(**share).model_dump(exclude_unset=True) == share
    assert Share(**share, reason=None).model_dump(exclude_unset=True) == {**share, "reason": None}


def test_an_artifact_cannot_be_changed_and_is_not_made_from_other_kinds():
    whole = Share(value=0.5, low=0.25, high=1, n=4)
    with pytest.raises(ValidationError, match="frozen"):
        whole.n = 5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="valid integer"):
        Share(value=0.5, low=0.25, high=1, n="4")  # type: ignore[arg-type]


def _with(whole: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of `whole` whose entry at `path` is `value`."""
    if not path:
        return value
    if isinstance(whole, list):
        return [_with(part, path[1:], value) if place == path[0] else part for place, part in enumerate(whole)]
    return {**whole, path[0]: _with(whole.get(path[0]), path[1:], value)}


def test_every_json_artifact_is_written_by_its_model(root):
    """So that none is without a schema version."""
    source = [path for folder in ("include/driftwatch", "plugins") for path in sorted((root / folder).rglob("*.py"))]
    writers = [
        path.relative_to(root).as_posix() for path in source if ".write_json(" in path.read_text(encoding="utf-8")
    ]
    assert writers == ["include/driftwatch/artifacts/base.py"]
