"""A day of production's log: every row and every image is accounted for, whatever is odd about the files."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.gist import WIDTH, gist
from driftwatch.images.inputs import write_block, write_index
from driftwatch.images.shards import Shard
from driftwatch.models.logged.accounts import LogRefused
from driftwatch.models.logged.day import answer_day, shard_content
from driftwatch.models.logged.join import AnsweredTwice
from driftwatch.storage import open_storage

from .days import (
    COLUMNS,
    IMAGES,
    VERSION,
    WRITERS,
    a_day,
    answer,
    answered,
    answers,
    csv_of,
    image_id,
    jsonl_of,
    put,
    put_inputs,
)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_day_in_each_format_has_the_same_answers(tmp_path, name, zipped):
    day = a_day(tmp_path)
    data = WRITERS[name](answers())
    data = data if isinstance(data, bytes) else data.encode()
    put(day, f"{name}.gz" if zipped else name, gzip.compress(data) if zipped else data)
    found = answered(day)
    assert (found.rows, found.used, found.files, found.versions) == (IMAGES, IMAGES, 1, {"prod-7": IMAGES})
    table = day.storage.read_table(day.keys.predictions)
    assert table.columns.tolist() == ["image_id", "prediction", "score.cat", "score.dog", "model_version"]
    assert table["image_id"].tolist() == [image_id(number) for number in range(IMAGES)]
    assert table["prediction"].tolist() == ["dog" if number % 3 == 0 else "cat" for number in range(IMAGES)]
    assert table["score.dog"].tolist() == [0.9 if number % 3 == 0 else 0.2 for number in range(IMAGES)]
    assert not day.storage.exists(day.keys.embeddings)


@pytest.mark.parametrize("name", WRITERS)
def test_a_key_is_taken_with_its_spaces_and_a_class_without(tmp_path, name):
    day = a_day(tmp_path)
    table = day.storage.read_table(day.keys.manifest)
    spaced = table["key"].str.replace("0000.jpg", " 0000.jpg ").str.replace("0001.jpg", "0000.jpg")
    day.storage.write_table(day.keys.manifest, table.assign(key=spaced))
    rows = [answer(0, file=" 0000.jpg ", **{"class": " cat "}), answer(1, file="0000.jpg"), *answers(range(2, IMAGES))]
    put(day, name, WRITERS[name](rows))
    found = answered(day)
    assert (found.rows, found.used) == (IMAGES, IMAGES)


def odd(day_rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a real log has beside 90 sound answers."""
    return [
        *day_rows,
        answer(
            3, **{"class": "cat", "p_cat": 0.7, "p_dog": 0.3, "at": "2026-03-04T12:00:00Z"}
        ),  # answered again, later
        answer(4, **{"class": "dog", "at": "2026-03-04T01:00:00Z"}),  # and earlier
        answer(0, file="copy.jpg"),  # a file with the same bytes
        answer(5, file="elsewhere.jpg"),
        answer(6, file="broken.jpg"),
        answer(90, **{"class": "ferret"}),
        answer(91, p_dog=float("nan")),
        answer(92, p_cat=0.6, p_dog=0.6),
        answer(93, p_cat=-0.2, p_dog=1.2),
        answer(94, **{"class": "DOG"}),
        answer(95, file=None),
        answer(96, at="yesterday"),
        answer(97, **{"class": None}),
    ]


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_is_odd_is_counted_or_refused_by_name(tmp_path, name):
    day = a_day(tmp_path, max_unanswered=0.1, max_without_image=0.1)
    put(day, name, WRITERS[name](odd(answers(range(90)))))
    found = answered(day)
    no_number = "scores_missing" if name == "a.csv" else "score_not_a_number"  # pandas writes NaN as nothing into a CSV
    assert found.reasons == {
        "bad_time": 1,
        "no_class": 1,
        "no_key": 1,
        no_number: 1,
        "score_out_of_range": 1,
        "scores_do_not_sum_to_1": 1,
        "unknown_class": 1,
    }
    assert found.refused == 7
    assert found.strangers == {"no_file": 1, "quarantined": 1}
    assert (found.rows, found.used, found.earlier, found.unanswered) == (103, 91, 3, 9)
    assert (found.unknown_classes, found.other_case) == (("ferret",), 1)
    table = day.storage.read_table(day.keys.predictions).set_index("image_id")
    assert table.loc[image_id(3), "prediction"] == "cat"
    assert table.loc[image_id(4), "prediction"] == "cat"
    assert table.loc[image_id(94), "prediction"] == "dog"
    assert image_id(90) not in table.index


def test_more_unanswered_images_than_allowed_fail_the_day_with_the_counts_and_leave_them_written(tmp_path):
    day = a_day(tmp_path)
    put(day, "a.csv", csv_of([*answers(range(90)), answer(95, **{"class": "ferret"})]))
    with pytest.raises(LogRefused, match=r"10 of the 100 images .*share of 0\.05.*'unknown_class': 1.*ferret"):
        answer_day(day, VERSION, open_storage)
    assert day.read(Answers).unanswered == 10
    assert not day.storage.exists(day.keys.predictions)


def test_more_answers_without_an_image_than_allowed_fail_the_day(tmp_path):
    day = a_day(tmp_path)
    strangers = [answer(number, file=f"other-{number}.jpg") for number in range(10)]
    put(day, "a.csv", csv_of([*answers(), *strangers]))
    with pytest.raises(LogRefused, match=r"10 of the 110 rows .* key_pattern"):
        answer_day(day, VERSION, open_storage)


def test_two_answers_are_refused_where_the_setting_says_so_and_a_copys_answer_is_none(tmp_path):
    day = a_day(tmp_path, answered_twice="refuse")
    put(day, "a.csv", csv_of([*answers(), answer(0, file="copy.jpg")]))
    assert answered(day).earlier == 1
    put(day, "b.csv", csv_of([answer(7)]))
    with pytest.raises(AnsweredTwice, match=rf"1 images were answered twice.*{image_id(7)}"):
        answer_day(day, VERSION, open_storage)


def test_without_a_time_the_order_of_files_and_rows_says_which_answer_is_the_last(tmp_path):
    columns = {name: value for name, value in COLUMNS.items() if name != "time"}
    day = a_day(tmp_path, columns=columns)
    put(day, "b.csv", csv_of([answer(1, **{"class": "dog"}, model="prod-8")]))
    put(day, "a.csv", csv_of(answers()))
    found = answered(day)
    assert (found.earlier, found.versions) == (1, {"prod-7": 99, "prod-8": 1})
    table = day.storage.read_table(day.keys.predictions).set_index("image_id")
    assert table.loc[image_id(1), ["prediction", "model_version"]].tolist() == ["dog", "prod-8"]
    assert found.not_the_highest == 1


@pytest.mark.parametrize("first", [0, 1])
def test_class_numbers_count_from_where_the_setting_says(tmp_path, first):
    day = a_day(tmp_path, class_numbers=first)
    put(day, "a.csv", csv_of([answer(n, **{"class": (1 if n % 3 == 0 else 0) + first}) for n in range(IMAGES)]))
    answered(day)
    table = day.storage.read_table(day.keys.predictions)
    assert table["prediction"].tolist() == ["dog" if number % 3 == 0 else "cat" for number in range(IMAGES)]


def test_numbers_without_that_setting_are_unknown_classes_and_the_error_says_what_to_set(tmp_path):
    day = a_day(tmp_path)
    put(day, "a.csv", csv_of([answer(number, **{"class": number % 2}) for number in range(IMAGES)]))
    with pytest.raises(LogRefused, match=r"Unknown classes: 0, 1: .*class_numbers"):
        answer_day(day, VERSION, open_storage)


def test_numbers_with_gaps_are_the_same_numbers_in_parquet(tmp_path):
    day = a_day(tmp_path, class_numbers=0)
    rows = [answer(number, **{"class": None if number == 5 else number % 2}) for number in range(IMAGES)]
    put(day, "a.parquet", WRITERS["a.parquet"](rows))
    found = answered(day)
    assert (found.used, found.reasons) == (99, {"no_class": 1})


def test_a_csv_without_a_header_has_numbered_columns(tmp_path):
    columns = {"key": 0, "prediction": 1, "scores": {"cat": 2, "dog": 3}}
    day = a_day(tmp_path, header=False, separator=";", columns=columns)
    rows = [{name: row[name] for name in ("file", "class", "p_cat", "p_dog")} for row in answers()]
    put(day, "a.csv", csv_of(rows, header=False, sep=";"))
    found = answered(day)
    assert (found.used, found.versions) == (IMAGES, {VERSION: IMAGES})


def test_production_may_have_other_names_for_the_classes_and_numbers_too(tmp_path):
    day = a_day(tmp_path, mapping={"n02084071": "dog", 7: "cat"})
    put(day, "a.csv", csv_of([answer(n, **{"class": "N02084071" if n % 3 == 0 else 7}) for n in range(IMAGES)]))
    assert answered(day).other_case == 34
    table = day.storage.read_table(day.keys.predictions)
    assert table["prediction"].tolist() == ["dog" if number % 3 == 0 else "cat" for number in range(IMAGES)]


def test_a_log_without_scores_has_none(tmp_path):
    day = a_day(tmp_path, columns={"key": "file", "prediction": "class"})
    put(day, "a.csv", csv_of(answers()))
    found = answered(day)
    assert not found.scores
    table = day.storage.read_table(day.keys.predictions)
    assert table.columns.tolist() == ["image_id", "prediction", "model_version"]


def test_segments_are_kept_and_scores_alone_are_enough(tmp_path):
    columns = {"image_id": "meta.sha", "scores": "out.probs", "segments": ["meta.camera"]}
    day = a_day(tmp_path, columns=columns)
    rows = [
        {"meta": {"sha": image_id(n).upper(), "camera": f"c{n % 2}" if n else None}, "out": {"probs": [0.3, 0.7]}}
        for n in range(IMAGES)
    ]
    put(day, "a.jsonl", jsonl_of(rows))
    answered(day)
    table = day.storage.read_table(day.keys.predictions)
    assert table["prediction"].unique().tolist() == ["dog"]
    assert table["segment.camera"].tolist()[:3] == ["", "c1", "c0"]


def with_halves() -> list[dict[str, Any]]:
    """Answers with half of a letter, as JSON can write it."""
    half = json.loads('"a\\ud83d"')
    rows = [{**answer(number), "camera": "c"} for number in range(IMAGES)]
    rows[0]["model"] = rows[1]["class"] = rows[2]["file"] = rows[3]["camera"] = half
    return rows


def test_half_a_letter_in_a_text_stops_nothing(tmp_path):
    day = a_day(tmp_path, columns={**COLUMNS, "segments": ["camera"]}, max_unanswered=0.1, max_without_image=0.1)
    put(day, "a.jsonl", jsonl_of(with_halves()))
    found = answered(day)
    assert (found.used, found.reasons, found.strangers) == (98, {"unknown_class": 1}, {"no_file": 1})
    assert (found.unknown_classes, found.versions) == (("a\ufffd",), {"a\ufffd": 1, "prod-7": 97})
    table = day.storage.read_table(day.keys.predictions).set_index("image_id")
    assert table.loc[image_id(3), "segment.camera"] == "a\ufffd"


# Embeddings and GIST


def test_embeddings_of_the_log_stand_in_the_order_of_the_predictions(tmp_path):
    day = a_day(tmp_path, columns={**COLUMNS, "embedding": "vector"})
    rows = [answer(number, vector=[number, 1.0, -1.0]) for number in reversed(range(IMAGES))]
    rows[0]["vector"] = [1.0]
    put(day, "a.jsonl", jsonl_of(rows))
    found = answered(day)
    assert (found.reasons, found.embeddings) == ({"bad_embedding": 1}, True)
    embeddings = day.storage.read_array(day.keys.embeddings)
    assert (embeddings.dtype, embeddings.shape) == (np.float16, (99, 3))
    assert embeddings[:, 0].tolist() == [*range(99)]


def with_gist(day: DayStore) -> DayStore:
    model = day.config.model.model_copy(update={"content_features": "gist"})
    return day.with_config(day.config.model_copy(update={"model": model}))


def test_gist_is_of_the_answered_images_and_the_same_from_shards(tmp_path):
    day = with_gist(a_day(tmp_path))
    put_inputs(day)
    put(day, "a.csv", csv_of([answer(number) for number in range(IMAGES) if number not in (0, 60, 61)]))
    answered(day)
    whole = day.storage.read_array(day.keys.embeddings)
    assert whole.shape == (97, WIDTH)
    np.testing.assert_array_equal(whole[0], gist(day.storage.read_array(day.keys.inputs_block(0)))[1])
    for number in range(2):
        shard_content(day, VERSION, Shard(number, 2, 256 * number, 256 * number + 256))
    day.storage.delete(day.keys.inputs_block(0))  # the shards' files are enough
    answer_day(day, VERSION, open_storage, shards=2)
    np.testing.assert_array_equal(day.storage.read_array(day.keys.embeddings), whole)
    assert day.storage.list(day.keys.shards) == []


def test_gist_that_a_late_try_left_of_images_of_an_earlier_run_is_made_anew(tmp_path):
    """As many as the shard has images."""
    day = with_gist(a_day(tmp_path))
    put(day, "a.csv", csv_of([answer(number) for number in range(IMAGES)]))
    for name, seed in (("before", 1), ("now", 2)):
        pixels = np.random.default_rng(seed).integers(0, 256, (IMAGES, 16, 16, 3)).astype(np.uint8)
        for number, part in enumerate((pixels[:60], pixels[60:])):
            write_block(day, number, part, f"{name}{number}")
        write_index(day, ModelInput.square(16), [60, IMAGES - 60], [f"{name}0", f"{name}1"])
        for number in (0, 1) if name == "before" else (1,):
            shard_content(day, VERSION, Shard(number, 2, 256 * number, 256 * number + 256))
    answer_day(day, VERSION, open_storage, shards=2)
    np.testing.assert_array_equal(day.storage.read_array(day.keys.embeddings), gist(pixels))
    assert day.storage.list(day.keys.shards) == []


def test_without_gist_no_stored_input_is_looked_at(tmp_path):
    day = a_day(tmp_path)
    put(day, "a.csv", csv_of(answers()))
    shard_content(day, VERSION, Shard(0, 1, 0, 256))
    answer_day(day, VERSION, open_storage, shards=1)
    assert day.storage.list(day.keys.inputs) == []


# Where it lies


def test_a_log_may_lie_at_another_address(tmp_path):
    other = tmp_path / "elsewhere/2026/03/04/h10"
    other.mkdir(parents=True)
    (other / "part-0.csv").write_text(csv_of(answers()))
    (other / "_SUCCESS").write_text("")
    day = a_day(tmp_path / "own", path=f"file://{tmp_path}/elsewhere/{{day:%Y/%m/%d}}/**/*")
    found = answered(day)
    assert found.used == IMAGES
    assert [file.name for file in found.log] == [f"file://{other}/part-0.csv"]


def test_a_section_is_needed(tmp_path):
    day = a_day(tmp_path)
    model = day.config.model.model_copy(update={"logged": None})
    with pytest.raises(NeedsAttention, match=r"no section model\.logged"):
        answer_day(day.with_config(day.config.model_copy(update={"model": model})), VERSION, open_storage)
