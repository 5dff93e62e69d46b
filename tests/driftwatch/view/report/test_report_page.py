"""The report is one file: self-contained, escaped, small, and the same for the same artifacts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from driftwatch.storage import Storage

from .pages import DAY, LAYOUT


def test_names_from_outside_are_text_and_never_markup(build_day: Callable, report: Callable) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    page = report()
    assert '<img src=x onerror="alert(1)">.jpg' in page.text
    assert "spam<b>er" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "fin\\u202egpj.exe.jpg" in page.text  # a right-to-left override would show another file type
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "link", "b>er"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_nothing_is_loaded_from_anywhere(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    storage.write_array(LAYOUT.training_inputs, np.zeros((9, 64, 64, 3), np.uint8))
    page = report()
    html = storage.read_bytes(LAYOUT.day(DAY).report).decode()
    sources = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "srcset")
    ]
    assert len(sources) > 10
    assert all(value and value.startswith("data:image/jpeg;base64,") for value in sources)
    assert not re.search(r"url\(|@import|https?://", html)
    policy = next(
        attributes["content"] for tag, attributes in page.tags if tag == "meta" and "http-equiv" in attributes
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert len(html) < 2_000_000


def test_same_artifacts_give_the_same_bytes(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    report()
    first = storage.read_bytes(LAYOUT.day(DAY).report)
    build_day(DAY, accuracy=0.5, damaged=True)
    report()
    assert storage.read_bytes(LAYOUT.day(DAY).report) == first


def test_report_of_real_photos_fits_a_mail(
    build_day: Callable, report: Callable, storage: Storage, shared: Path
) -> None:
    files = [shared / "photos" / label / f"{label}.{index}.jpg" for index in range(30) for label in ("cat", "dog")]
    files = [file for file in files if file.exists()]
    pictures = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    build_day(DAY, pictures, [file.parent.name for file in files], accuracy=0.5, damaged=True)
    page = report()
    assert len([1 for tag, _ in page.tags if tag == "figure"]) >= 12
    assert len(storage.read_bytes(LAYOUT.day(DAY).report)) < 400_000
    assert json.loads(storage.read_bytes(LAYOUT.day(DAY).drift))["verdict"] == "drifted"
