"""Labels from a table: which rows are used, what becomes of the others, and what a day's labels are then."""

from __future__ import annotations

import gzip
import io
from datetime import datetime, timezone

import pandas as pd
import pytest
from tests.driftwatch.labels.table_days import (
    DAY,
    LATER,
    SOON,
    answered_day,
    by_table,
    files_of,
    outside,
    put_csv,
    rows_of,
)

from driftwatch.artifacts.label_table import LabelTable
from driftwatch.errors import NeedsAttention
from driftwatch.labels.table import UnknownLabels, labels_until, read_labels, write_labels
from driftwatch.models.logged.formats import BrokenLog
from driftwatch.models.logged.join import AnsweredTwice
from driftwatch.storage import Storage


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """A day that the model has answered; what a test writes into it is taken away again."""
    return answered_day(by_table(f"file://{tmp_path_factory.mktemp('table')}"))


@pytest.fixture
def day(answered):
    yield answered
    storage: Storage = answered.storage
    for item in [*storage.list("truth"), *storage.list("elsewhere")]:
        storage.delete(item.key)


def changed(day, labels=None, **table):
    return day.with_config(by_table(day.config.storage.uri, labels, **table))


def read(day, now=SOON, query=None):
    return read_labels(day, outside(day.config, query) if query else outside(day.config), now)


def test_every_row_is_accounted_for_and_the_last_label_of_an_image_counts(day):
    names = files_of(day)
    rows = rows_of(names[:40], at=[f"2026-01-06T00:{number:02d}:00Z" for number in range(40)])
    again = rows_of(names[:2], at="2026-01-07").assign(truth="dog")
    odd = pd.DataFrame(
        [
            {"file": "never.jpg", "truth": "cat", "at": "2026-01-06"},
            {"file": names[50], "truth": "cow", "at": "2026-01-06"},
            {"file": names[51], "truth": "", "at": "2026-01-06"},
        ]
    )
    put_csv(day, "a.csv", pd.concat([again, odd]))
    put_csv(day, "b.csv", rows)
    columns = {"key": "file", "label": "truth", "time": "at"}
    found = read(changed(day, columns=columns))
    table = found.found
    assert (table.rows, table.labelled, table.earlier, table.without_image, table.refused) == (45, 40, 2, 1, 2)
    assert table.rows == table.labelled + table.earlier + table.without_image + table.refused
    assert (table.strangers, table.reasons) == ({"no_file": 1}, {"no_class": 1, "unknown_class": 1})
    assert table.unknown_classes == ("cow",)
    assert list(found.labels.values())[:4] == ["dog", "dog", "cat", "dog"]
    assert (table.files, table.images, table.open, found.enough) == (2, 60, True, False)


def test_the_labels_are_written_as_if_one_annotator_had_given_each_and_the_same_table_gives_the_same_bytes(day):
    put_csv(day, "a.csv", rows_of(files_of(day)[:50]))
    keys = day.keys
    written = []
    for _ in range(2):
        write_labels(day, read(day))
        written.append([day.storage.read_bytes(key) for key in (keys.labels, keys.assignments, day.key(LabelTable))])
    assert written[0] == written[1]
    labels = day.storage.read_table(keys.labels)
    assert labels["status"].value_counts().to_dict() == {"consensus": 50, "unanswered": 10}
    assert set(labels.loc[labels["status"] == "consensus", "votes"]) == {1}
    assert not day.storage.read_table(keys.assignments)["control"].any()


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.jsonl.gz", "a.tsv"])
def test_each_format_gives_the_same_labels(day, name):
    rows, buffer = rows_of(files_of(day)), io.BytesIO()
    if name.endswith("parquet"):
        rows.to_parquet(buffer, index=False)
        data = buffer.getvalue()
    elif "jsonl" in name:
        text = rows.to_json(orient="records", lines=True).encode()
        data = gzip.compress(text) if name.endswith("gz") else text
    else:
        data = rows.to_csv(index=False, sep="\t").encode()
    day.storage.write_bytes(f"truth/{DAY}/{name}", data)
    found = read(day)
    assert (found.found.labelled, found.found.open, found.enough) == (60, False, True)
    assert found.found.no_interval is None


def test_words_of_the_table_are_mapped_numbers_are_classes_and_null_says_nothing_yet(day):
    names = files_of(day)
    words = {"cat": "returned", "dog": "KEPT"}
    rows = rows_of(names).assign(truth=[words[name[:3]] for name in names])
    rows.loc[:9, "truth"] = ["pending", "Pending"] * 5
    put_csv(day, "a.csv", rows)
    found = read(changed(day, values={"returned": "cat", "kept": "dog", "pending": None}))
    assert (found.found.labelled, found.found.reasons, found.found.unknown_classes) == (50, {"no_class": 10}, ())
    put_csv(day, "a.csv", rows_of(names).assign(truth=[1 if name.startswith("cat") else 2 for name in names]))
    numbered = read(changed(day, class_numbers=1))
    assert list(numbered.labels.values())[:2] == ["cat", "dog"]


def test_too_many_words_that_are_no_class_are_refused_by_name_with_what_to_do(day):
    put_csv(day, "a.csv", rows_of(files_of(day)).assign(truth=["cow"] * 4 + ["cat"] * 56))
    with pytest.raises(UnknownLabels, match=r"4 of 60 labels are no class: cow; labels\.table\.max_unknown .*0\.05"):
        read(day)
    assert read(changed(day, max_unknown=0.1)).found.unknown_classes == ("cow",)


def test_a_table_of_all_days_is_read_by_the_day_in_each_key_or_by_the_images_own_ids(day):
    names = files_of(day)
    here = rows_of(names).assign(file=[f"s3://inbox/demo/incoming/{DAY}/{name}" for name in names])
    other = here.assign(file=here["file"].str.replace(str(DAY), "2026-01-06"), truth="dog")
    bare = rows_of(names[:3]).assign(truth="dog")
    day.storage.write_bytes("elsewhere/all.csv", pd.concat([here, other, bare]).to_csv(index=False).encode())
    found = read(changed(day, path="elsewhere/all.csv")).found
    assert (found.rows, found.labelled, found.without_image, found.strangers) == (123, 60, 63, {"other_day": 63})

    manifest = day.storage.read_table(day.keys.manifest)
    ids = manifest.loc[manifest["status"] == "accepted", "image_id"].str.upper()
    others = [f"{number:064x}" for number in range(9)]  # of other days, whose words are no reason to refuse this one
    table = pd.DataFrame({"sha": [*ids, *others], "truth": ["cat"] * len(ids) + ["cow"] * len(others)})
    day.storage.write_bytes("elsewhere/ids.csv", table.to_csv(index=False).encode())
    by_id = read(changed(day, path="elsewhere/ids.csv", columns={"image_id": "sha", "label": "truth"})).found
    assert (by_id.rows, by_id.labelled, by_id.strangers, by_id.unknown_classes) == (69, 60, {"other_day": 9}, ())


def test_an_image_with_two_rows_is_refused_where_the_setting_says_so(day):
    put_csv(day, "a.csv", pd.concat([rows_of(files_of(day)), rows_of(files_of(day)[:1])]))
    with pytest.raises(AnsweredTwice, match=r"Set labels\.table\.answered_twice to last"):
        read(changed(day, answered_twice="refuse"))


def test_a_file_that_is_wrong_is_named_with_the_section_of_the_table(day):
    put_csv(day, "a.csv", rows_of(files_of(day)).rename(columns={"truth": "label"}))
    with pytest.raises(BrokenLog, match=r"no column 'truth'.* Correct labels\.table\.columns"):
        read(day)


def test_no_file_yet_is_no_label_yet(day):
    found = read(day)
    assert (found.labels, found.found.files, found.found.rows, found.found.open) == ({}, 0, 0, True)
    write_labels(day, found)
    assert day.storage.read_table(day.keys.labels)["status"].eq("unanswered").all()


def test_a_query_is_asked_for_the_day_and_its_rows_are_the_table(day):
    asked = []

    def query(settings, date):
        asked.append((settings.connection, date))
        return rows_of(files_of(day)).to_dict(orient="records")

    settings = {"path": None, "query": "select file, truth from found where day = :day", "connection": "truth_db"}
    found = read(changed(day, **settings), query=query).found
    assert (asked, found.labelled, found.files, found.source) == (
        [("truth_db", DAY)],
        60,
        0,
        "connection truth_db",
    )
    with pytest.raises(NeedsAttention, match=r"no column 'truth'; they have \['file'\]"):
        read(changed(day, **settings), query=lambda *_: [{"file": "a"}])


@pytest.mark.parametrize(
    ("covers", "labels", "now", "is_open", "enough", "said"),
    [
        ("all", 30, SOON, True, False, "30 of 60 images have a label, and labels.min_coverage is 80%"),
        ("all", 48, SOON, True, True, None),
        ("all", 60, SOON, False, True, None),
        ("all", 30, LATER, False, False, "30 of 60 images"),
        ("random", 29, SOON, True, False, None),
        ("random", 30, SOON, True, True, None),
        ("random", 60, SOON, True, True, None),
        ("random", 5, LATER, False, False, None),
        ("unknown", 60, SOON, True, True, "nobody knows how the labelled images were chosen"),
    ],
)
def test_what_is_enough_and_what_may_still_come_follows_from_what_the_table_covers(
    day, covers, labels, now, is_open, enough, said
):
    put_csv(day, "a.csv", rows_of(files_of(day)[:labels]))
    found = read(changed(day, covers=covers), now)
    assert (found.found.open, found.enough) == (is_open, enough)
    assert (found.found.no_interval or "").startswith(said or "")
    assert (found.found.no_interval is None) == (said is None)


def test_labels_of_a_day_are_waited_for_from_its_end_on():
    assert labels_until(DAY, 0) == datetime(2026, 1, 6, tzinfo=timezone.utc)
    assert labels_until(DAY, 30) == datetime(2026, 2, 5, tzinfo=timezone.utc)
