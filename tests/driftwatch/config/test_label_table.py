"""The section labels.table, and what a monitor without labels may not have."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from tests.driftwatch.labels.table_days import by_table
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch.config.label_table import LabelTableConfig

FILES = {"covers": "all", "path": "truth/{day}.csv", "columns": {"key": "file", "label": "truth"}}
QUERY = {"path": None, "query": "select 1", "connection": "db"}
WITHOUT_LABELS = {name: value for name, value in SMALLEST.items() if name != "annotation"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": None}, "one of path and query is needed"),
        ({"query": "select 1", "connection": "db"}, "one of path and query is needed"),
        ({**QUERY, "connection": None}, "query needs connection"),
        ({"columns": {"label": "truth"}}, "one of key and image_id is needed"),
        ({"columns": {"key": "a", "image_id": "b", "label": "c"}}, "one of key and image_id is needed"),
        ({"columns": {"key": "file"}}, "label"),
        ({"path": "truth/{day:}.csv"}, "has no format"),
        ({"path": "/truth/{day}.csv"}, "allowed are a path below the storage's root"),
        ({"key_pattern": "^s3://"}, "needs a group in parentheses"),
        ({"path": "truth/all.csv", "key_pattern": "^s3://(.+)$"}, "nothing would say which day an image is of"),
        ({**QUERY, "key_pattern": "^s3://(.+)$"}, "nothing would say which day an image is of"),
        ({"values": {"Cat": "cat", "cat": "cat"}}, "distinct"),
        ({"covers": "most"}, "'all', 'random' or 'unknown'"),
    ],
)
def test_a_table_that_could_not_be_read_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        LabelTableConfig.model_validate({**FILES, **changes})


@pytest.mark.parametrize(
    ("changes", "of_a_day"),
    [
        ({}, True),
        ({"path": "truth/all.csv"}, False),
        ({"path": "truth/{day:%Y/%m/%d}/*.csv"}, True),
        ({"path": "truth/{day:%Y}/{day:%j}.csv"}, True),
        ({"path": "truth/{day:%Y-%m}.csv"}, False),
        ({"path": "truth/{day:%m-%d}.csv"}, False),
        ({**QUERY, "query": "select a from b where day = :day"}, True),
        ({**QUERY, "query": "select a from b where day < :next_day"}, True),
        ({**QUERY, "query": "select a::day from b where c = ':days'"}, False),
    ],
)
def test_whether_a_table_is_of_one_day_is_told_from_its_path_or_query(changes, of_a_day):
    assert LabelTableConfig.model_validate({**FILES, **changes}).of_a_day is of_a_day


def test_its_words_must_lead_to_classes_of_the_monitor_or_to_nothing():
    assert by_table("file:///unused", values={"returned": "dog", "open": None}).labels.table
    with pytest.raises(ValidationError, match=r"labels.table.values must name classes \['cat', 'dog'\] or null: wrong"):
        by_table("file:///unused", values={"returned": "cow"})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"performance": {"floor": 0.9}}, "performance"),
        ({"retraining": {}}, "retraining"),
        ({"publish": {"sinks": ["whylabs"], "dataset": "m", "alert_source": "either"}}, "publish.alert_source"),
    ],
)
@pytest.mark.parametrize("labels", [{}, {"labels": {"backend": "none"}}])
def test_without_labels_nothing_that_rests_on_them_is_allowed(section, said, labels):
    with pytest.raises(ValidationError, match=rf"{said}: without labels nobody can tell how accurate the model is"):
        MonitorConfig.model_validate({**WITHOUT_LABELS, **labels, **section})
    assert MonitorConfig.model_validate({**WITHOUT_LABELS, **labels}).labels.people is None
