"""A day that is judged by a sample has the answers, counts and errors that it would have if its log and its manifest were held."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DriftwatchError
from driftwatch.images.shards import Shard
from driftwatch.models.logged import day as logged_day
from driftwatch.models.logged import files, kept_rows, large_day
from driftwatch.models.logged.day import answer_day, shard_content
from driftwatch.storage import Storage, joining, open_storage, tables

from .days import (
    COLUMNS,
    DAY,
    IMAGES,
    VERSION,
    a_day,
    answer,
    answers,
    csv_of,
    image_id,
    jsonl_of,
    parquet_of,
    put,
    put_inputs,
)
from .test_day import odd, with_gist, with_halves
from .test_presets import CSV_OUTPUT, JSON_OUTPUT, b64, body, captured

ENDS = {"csv": csv_of, "jsonl": jsonl_of, "parquet": parquet_of}
Written = dict[str, bytes | str]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS", 16)
    monkeypatch.setattr(kept_rows, "_AT_ONCE", 7)
    monkeypatch.setattr(large_day, "_OF_PART", 15)
    monkeypatch.setattr(joining, "_PARTS", 3)


def as_a_large_day(day: DayStore) -> DayStore:
    """As if 100 images were more than the day is judged by: the sample is every fourth of them."""
    manifest = day.storage.read_table(day.keys.manifest)
    accepted = manifest[manifest["status"] == "accepted"]
    day.storage.write_table(day.keys.judged, accepted.iloc[::4])
    told = {"day": str(DAY), "accepted": len(accepted), "judged": len(accepted[::4])}
    day.storage.write_json(day.keys.ingest, samples.INGEST | told)
    return day


def written(day: DayStore, shards: int = 0) -> Written:
    """What the day leaves, or the error."""
    keys, found = day.keys, Written()
    outputs = (
        day.key(Answers), keys.predictions, keys.embeddings, keys.judged_predictions, keys.judged_embeddings,
    )  # fmt: skip
    for key in outputs:
        day.storage.delete(key)
    try:
        answer_day(day, VERSION, open_storage, shards)
    except DriftwatchError as error:
        found["error"] = f"{type(error).__name__}: {error}"
    for key in outputs:
        path = day.storage.local_path(key)
        assert path is not None
        if path.exists():
            found[key] = path.read_bytes()
    assert not day.storage.list(keys.shards)
    return found


def same_as_held(
    day: DayStore, monkeypatch: pytest.MonkeyPatch, shards: int = 0, before: Callable[[], None] = lambda: None
) -> Written:
    """What the large day leaves, which is the same to the byte as if all were held, and reads no table of the day whole. `before`: done before each."""
    before()
    with monkeypatch.context() as patched:
        patched.setattr(logged_day, "is_sampled", lambda day: False)
        expected = written(day, shards)
    before()
    read = type(day.storage).read_bytes

    def of(self: Storage, key: str) -> bytes:
        assert key not in (day.keys.manifest, day.keys.predictions), f"{key} is read whole"
        return read(self, key)

    with monkeypatch.context() as patched:
        patched.setattr(type(day.storage), "read_bytes", of)
        patched.setattr(logged_day, "join", lambda *told: pytest.fail("the log was held"))
        found = written(day, shards)
    assert found == expected
    return found


def counts(found: Written) -> Answers:
    (answers,) = (value for key, value in found.items() if key.endswith("answers.json"))
    return Answers.model_validate_json(answers)


def random_rows(rng: np.random.Generator, vectors: bool) -> list[dict[str, Any]]:
    """Sound answers in any order, some twice at other times, with all that is odd."""
    rows = odd(answers(rng.permutation(IMAGES)[: rng.integers(60, 101)].tolist()))
    rows += [
        answer(int(number), at=f"2026-03-04T{rng.integers(8, 20):02d}:00:00Z", model="prod-8")
        for number in rng.integers(0, IMAGES, 30)
    ]
    rows += [answer(1, file=None), answer(2, **{"class": "hamster"}), answer(2, file="./0002.jpg", at=1772618400)]
    for row in rows if vectors else ():
        row["vector"] = [round(float(x), 3) for x in rng.normal(size=3)][: 3 if rng.random() < 0.9 else 2]
        if rng.random() < 0.05:
            row["vector"] = [1e9, float("nan"), 1.0][: int(rng.integers(0, 4))]
    return [rows[place] for place in rng.permutation(len(rows))]


@pytest.mark.parametrize("seed", range(9))
def test_any_log_has_the_same_answers_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    end, vectors = [*ENDS][seed % 3], seed % 4 == 0 and seed % 3 != 0
    columns = {**COLUMNS, "embedding": "vector"} if vectors else COLUMNS
    columns = {
        name: column for name, column in columns.items() if name != ("time", "model_version", "scores", "")[seed % 4]
    }
    settings: dict[str, Any] = {
        "max_unanswered": 1.0,
        "max_without_image": 1.0,
        "columns": {**columns, "segments": ["model"]},
    }
    day = as_a_large_day(a_day(tmp_path, **settings))
    if vectors:
        day = with_embeddings(day)
    rows = random_rows(rng, vectors)
    ends = sorted(rng.integers(0, len(rows), 3).tolist())
    for number, (start, stop) in enumerate(zip([0, *ends], [*ends, len(rows)], strict=True)):
        if start < stop:
            part = [{**row, "at": str(row["at"])} for row in rows[start:stop]] if end == "parquet" else rows[start:stop]
            put(day, f"{number}.{end}", ENDS[end](part))
    found = same_as_held(day, monkeypatch)
    told = counts(found)
    assert "error" not in found
    assert told.rows == len(rows) == told.used + told.earlier + told.without_image + told.refused
    assert min(told.used, told.earlier, told.without_image, told.refused) > 0
    assert told.embeddings == vectors == (day.keys.embeddings in found)


def with_embeddings(day: DayStore) -> DayStore:
    model = day.config.model.model_copy(update={"content_features": "auto"})
    return day.with_config(day.config.model_copy(update={"model": model}))


def test_rows_by_the_image_s_own_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"image_id": "sha", "scores": "probs"}
    day = as_a_large_day(a_day(tmp_path, columns=columns, max_unanswered=1.0, max_without_image=1.0))
    ids = [image_id(3), image_id(0).upper(), "f" * 64, "0" * 64, None, image_id(99), image_id(3)]
    put(
        day, "a.jsonl", jsonl_of([{"sha": one, "probs": [place / 10, 1 - place / 10]} for place, one in enumerate(ids)])
    )
    told = counts(same_as_held(day, monkeypatch))
    assert (told.used, told.earlier, told.strangers) == (3, 1, {"no_file": 1, "quarantined": 1})
    assert told.reasons == {"no_key": 1}


@pytest.mark.parametrize(
    ("settings", "rows", "message"),
    [
        ({}, answers(range(90)), r"LogRefused: 10 of the 100 images"),
        ({}, [*answers(), *(answer(n, file=f"other-{n}.jpg") for n in range(10))], r"LogRefused: 10 of the 110 rows"),
        ({"answered_twice": "refuse"}, [*answers(), answer(50), answer(7), answer(7)], rf"AnsweredTwice: 2 images.*{image_id(7)}"),
        ({}, [answer(n, **{"class": n % 7}) for n in range(IMAGES)], r"Unknown classes: 0, 1, 2, 3, 4: "),
        ({"answered_twice": "refuse"}, [*answers(), answer(0, file="copy.jpg")], None),
    ],
)  # fmt: skip
def test_what_is_refused_is_refused_with_the_same_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, Any],
    rows: list[dict[str, Any]],
    message: str | None,
) -> None:
    day = as_a_large_day(a_day(tmp_path, **settings))
    put(day, "a.csv", csv_of(rows))
    error = same_as_held(day, monkeypatch).get("error")
    assert (error is None) == (message is None)
    assert message is None or re.search(message, str(error))


def test_a_log_that_is_not_there_or_has_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = as_a_large_day(a_day(tmp_path, max_unanswered=1.0))
    assert str(same_as_held(day, monkeypatch)["error"]).startswith("NoLog")
    put(day, "a.csv", "file,class,p_cat,p_dog,model,at\n")
    assert counts(same_as_held(day, monkeypatch)).unanswered == IMAGES


def test_gist_is_of_the_answered_images_from_shards_or_from_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = as_a_large_day(with_gist(a_day(tmp_path)))
    put_inputs(day)
    put(day, "a.csv", csv_of([answer(number) for number in range(IMAGES) if number not in (0, 60, 61)]))
    whole = same_as_held(day, monkeypatch)

    def shards() -> None:
        for number in range(2):
            shard_content(day, VERSION, Shard(number, 2, 256 * number, 256 * number + 256))

    assert same_as_held(day, monkeypatch, 2, shards) == whole


def test_a_log_that_changes_while_it_is_read_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = as_a_large_day(a_day(tmp_path))
    put(day, "a.csv", csv_of(answers()))
    take, looks = kept_rows.KeptRows.take, []

    def growing(self: kept_rows.KeptRows, file: files.ReadFile) -> object:
        looks.append(file.name)
        if len(looks) == 1:
            put(day, "b.csv", csv_of([answer(3, **{"class": "ferret"})]))
        return take(self, file)

    monkeypatch.setattr(kept_rows.KeptRows, "take", growing)
    found = answer_day(day, VERSION, open_storage)
    assert [Path(name).name for name in looks] == ["a.csv", "a.csv", "b.csv"]
    assert (found.rows, found.used, found.reasons) == (IMAGES + 1, IMAGES, {"unknown_class": 1})


@pytest.mark.parametrize("seed", range(4))
def test_kserve_s_requests_and_answers_may_stand_in_any_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    columns = {"prediction": "response.label", "scores": "response.scores"} if seed % 2 else {}
    day = as_a_large_day(a_day(tmp_path, format="kserve", columns=columns, max_unanswered=1.0, max_without_image=1.0))
    events = [
        event for number in rng.permutation(IMAGES)[:90].tolist() for event in kserve_events(rng, number, bool(columns))
    ]
    events += kserve_events(rng, 7, bool(columns))  # answered again
    events = [events[place] for place in rng.permutation(len(events))]
    for number, start in enumerate(range(0, len(events), 50)):
        put(day, f"{number}.jsonl", jsonl_of(events[start : start + 50]))
    told = counts(same_as_held(day, monkeypatch))
    assert (
        told.rows == sum(file.rows for file in told.log) == told.used + told.earlier + told.without_image + told.refused
    )
    assert told.used > 50
    assert told.reasons["no_payload"] > 0
    assert len(told.unknown_classes) == (5 if columns else 0)


def kserve_events(rng: np.random.Generator, number: int, labelled: bool) -> list[dict[str, Any]]:
    """A request with the image's bytes and its answer; of some images something is missing."""
    name = f"e{number}" if number % 11 else number
    score = round(float(rng.random()), 3)
    label = f"stranger {number}" if number % 9 == 0 else "dog" if score < 0.5 else "cat"
    said = {"label": label, "scores": [score, round(1 - score, 3)]} if labelled else [score, round(1 - score, 3)]
    about = {"time": f"2026-03-04T10:{number % 60:02d}:00Z", "inferenceservicename": "pets"}
    request = {**about, "id": name, "type": "org.kubeflow.serving.inference.request"}
    request["data"] = {"instances": [{"b64": b64(body(number))}]}
    response = {
        **about,
        "id": name,
        "type": "org.kubeflow.serving.inference.response",
        "data": {"predictions": [said] * (1 + (number % 13 == 0))},
    }
    return [request, response] if number % 17 else [response]


@pytest.mark.parametrize("output", [CSV_OUTPUT, JSON_OUTPUT])
def test_sagemaker_s_capture_tells_images_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: dict[str, Any]
) -> None:
    day = as_a_large_day(a_day(tmp_path, format="sagemaker", columns={}, max_unanswered=1.0))
    put(day, "a.jsonl", jsonl_of([captured(number, output) for number in range(60)]))
    assert counts(same_as_held(day, monkeypatch)).used == (60 if output is CSV_OUTPUT else 0)


def test_half_a_letter_in_a_text_is_as_in_a_small_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {**COLUMNS, "segments": ["camera"]}
    day = as_a_large_day(a_day(tmp_path, columns=columns, max_unanswered=0.1, max_without_image=0.1))
    put(day, "a.jsonl", jsonl_of(with_halves()))
    assert counts(same_as_held(day, monkeypatch)).used == IMAGES - 2


@pytest.mark.parametrize("preset", ["sagemaker", "kserve"])
@pytest.mark.parametrize("field", ["label", "version"])
def test_half_a_letter_in_a_logged_body_stops_no_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, preset: str, field: str
) -> None:
    """The line around it is sound: the body is JSON in a text."""
    columns = {"prediction": "response.label", "model_version": "response.version"}
    day = as_a_large_day(a_day(tmp_path, format=preset, columns=columns, max_unanswered=1.0))
    kind, lines = "org.kubeflow.serving.inference", []
    for number in range(20):
        told = json.dumps({"label": "dog", "version": "v1", **({field: "\ud83d"} if number == 3 else {})})
        if preset == "sagemaker":
            lines.append(captured(number, {**JSON_OUTPUT, "data": told}))
            continue
        request = json.dumps({"instances": [{"b64": b64(body(number))}]})
        about = {"id": number, "time": "2026-03-04T10:00:00Z"}
        lines.append({**about, "type": f"{kind}.request", "data": request})
        lines.append({**about, "type": f"{kind}.response", "data": f'{{"predictions": [{told}]}}'})
    put(day, "a.jsonl", jsonl_of(lines))
    found = counts(same_as_held(day, monkeypatch))
    refused = {"unknown_class": 1} if field == "label" else {}
    assert (found.rows, found.used, found.reasons) == (20, 20 - len(refused), refused)
