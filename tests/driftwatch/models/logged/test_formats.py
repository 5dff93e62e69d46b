"""Files that are not what model.logged says are refused by name; rows that cannot be read are counted."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pandas as pd
import pytest

from driftwatch.config.logged import LoggedConfig
from driftwatch.models.logged.columns import Rows
from driftwatch.models.logged.files import ReadFile
from driftwatch.models.logged.formats import BrokenLog, parse, rows_of

COLUMNS = {"key": "file", "prediction": "class"}


def rows(name: str, data: bytes | str, **settings: Any) -> Rows:
    config = LoggedConfig.model_validate({"path": "a/{day}", "columns": COLUMNS, **settings})
    file = ReadFile(name, data.encode() if isinstance(data, str) else data, settled=True)
    (found,) = rows_of([parse(file, config)], config)
    return found


def said(found: Rows) -> list[tuple[Any, ...]]:
    return list(found.table.itertuples(index=False, name=None))


@pytest.mark.parametrize("name", ["x/a.CSV", "a.csv.gz", "a.csv"])
def test_a_csv_keeps_texts_as_they_are_written(name):
    found = rows(name, '\ufefffile,n,class\n"a,1.jpg",1,NA\n\n007,2,\n')
    assert said(found) == [("a,1.jpg", "NA"), ("007", None)]
    assert found.broken == Counter()


def test_lines_with_other_fields_or_wrong_quotes_are_counted():
    found = rows("a.csv", 'file,class\na,cat\nb\nc,cat,dog\n"d"x,cat\ne,dog\n')
    assert (said(found), found.broken) == ([("a", "cat"), ("e", "dog")], Counter(wrong_number_of_fields=3))


def test_tabs_by_the_name_or_the_setting():
    assert said(rows("a.tsv", "file\tclass\na\tcat\n")) == [("a", "cat")]
    assert said(rows("a.csv", "file\tclass\na\tcat\n", separator="tab")) == [("a", "cat")]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_an_empty_file_has_no_rows(name):
    assert said(rows(name, "")) == []
    assert said(rows("a.csv", "file,class\n")) == []


def test_json_lines_that_are_none_are_counted():
    found = rows("a.json", '{"file": "a", "class": "cat"}\n[1]\nnot json\n\n{"file": "b"}\n{"file": "c", "cl')
    assert (said(found), found.broken) == ([("a", "cat"), ("b", None)], Counter(no_json=2, cut_line=1))


def test_names_with_dots_are_columns_first_and_lead_inside_otherwise():
    columns = {"key": "a.b", "prediction": "out.0.label", "segments": ["a.c"]}
    found = rows("a.jsonl", '{"a.b": "k", "a": {"c": 3}, "out": [{"label": "cat"}]}\n', columns=columns)
    assert said(found) == [("k", "cat", 3)]


def test_a_struct_of_parquet_is_looked_into(tmp_path):
    buffer = io.BytesIO()
    pd.DataFrame({"in": [{"file": "a"}], "out": [{"probs": [0.25, 0.75]}]}).to_parquet(buffer)
    found = rows("a.parquet", buffer.getvalue(), columns={"key": "in.file", "scores": "out.probs"})
    assert said(found) == [("a", [0.25, 0.75])]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.csv", "path,class\na,cat\n", r"a\.csv has no column 'file'; it has \['path', 'class'\].*header: false"),
        ("a.csv", "a.jpg,cat\nb.jpg,dog\n", r"no column 'class', 'file'; it has \['a\.jpg', 'cat'\]"),
        ("a.jsonl", '{"path": 1}\n', r"no column 'class', 'file'"),
        ("a.txt", "x", r"a\.txt: its name does not tell its format; .*model\.logged\.format"),
        ("a.csv", b"file,class\n\xff\xfe,cat\n", "is not UTF-8"),
        ("a.csv", b"\x1f\x8b\x08\x00broken-gzip-data", "no sound gzip file|ends in the middle"),
        ("a.parquet", b"PAR1 nothing PAR1", "no sound Parquet file"),
        ("a.parquet", b"", "no end mark of a Parquet file"),
        ("a.csv", "file,class\na,\u00e9".encode()[:-1], "ends in the middle of a letter"),
    ],
)
def test_a_file_that_is_something_else_is_refused_by_name(name, data, what):
    with pytest.raises(BrokenLog, match=what):
        rows(name, data)
