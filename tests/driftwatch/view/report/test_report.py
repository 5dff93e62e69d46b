"""The day's report: complete, self-contained, escaped, the same for the same artifacts, and honest about what is missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.version_days import answered_by_several
from tests.stores import monitor_store

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.errors import MissingArtifact
from driftwatch.storage import Storage
from driftwatch.view.report import write_report
from driftwatch.view.words import feature_name

DAY = date(2026, 1, 5)
LAYOUT = MonitorKeys("demo")
VOID = {"meta", "img", "rect", "line", "circle", "path"}


class Page(HTMLParser):
    """Every tag with its attributes, the visible text, and whether tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def report(storage: Storage, config: MonitorConfig) -> Callable[..., Page]:
    def write(day: date = DAY) -> Page:
        return Page(storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(day))).decode())

    return write


def test_bad_day_says_what_happened_with_its_numbers(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    page = report()
    found = storage.read_json(LAYOUT.day(DAY).performance)
    assert found["verdict"] == "alert"
    assert re.search(
        r"The images changed and the model got worse: accuracy [\d.]+ % \[\d+, \d+\], floor 70 %\.", page.text
    )
    assert f"{found['labels']} of {found['sampled']}" in page.text
    for cell in np.ravel(found["confusion_matrix"]["rows"]):
        assert f" {cell} " in page.text
    assert "63 listed = 60 accepted + 1 duplicate + 2 quarantined" in page.text
    assert "a visible pixel grid" in page.text
    assert "people: " in page.text


def test_ignored_files_are_counted_in_the_report_and_come_last(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, until="drift")
    keys = LAYOUT.day(DAY)
    ingest, manifest = storage.read_json(keys.ingest), storage.read_table(keys.manifest)
    beside = manifest[manifest["status"] == "accepted"].head(30).assign(status="ignored", reason="matches '*.json'")
    storage.write_table(keys.manifest, pd.concat([beside, manifest], ignore_index=True))
    storage.write_json(keys.ingest, {**ingest, "listed": 93, "ignored": 30})
    page = report()
    assert "93 listed = 30 ignored + 60 accepted + 1 duplicate + 2 quarantined" in page.text
    assert "30 ignored" in page.text.split("Images accepted", 1)[1]
    assert page.text.index("not_an_image") < page.text.index("matches '*.json'")


def test_morning_report_needs_no_labels_and_is_renewed_when_they_are_in(build_day: Callable, report: Callable) -> None:
    build_day(DAY, damaged=True, until="drift")
    page = report()
    assert "The images changed (" in page.text
    assert "the model's accuracy is not known yet." in page.text
    assert "How the model did" not in page.text
    build_day(DAY, damaged=True)
    assert "How the model did" in report().text


def test_report_exists_before_the_drift_test_and_not_before_ingest(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    with pytest.raises(MissingArtifact, match=r"ingest\.json does not exist"):
        write_report(monitor_store(storage, LAYOUT, config).day(DAY))
    build_day(DAY, until="ingest")
    assert "60 images taken in; nothing is judged yet." in report().text


def test_late_images_are_said_with_what_the_accuracy_then_stands_for(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY)
    assert "late" not in report().text.partition("The last days")[0]
    keys = LAYOUT.day(DAY)
    storage.write_json(keys.ingest, {**storage.read_json(keys.ingest), "late": 12})
    storage.write_json(keys.late_files, {"files": 1})
    said = report().text
    assert "13 images came late" in said
    assert "12 of 60 images came after the day's sample was drawn." in said
    assert "drawn at random from the 48 that were there, and the accuracy is theirs." in said
    assert "1 file came after the day was taken in, and no number here counts" in said


def test_names_from_outside_are_text_and_never_markup(build_day: Callable, report: Callable) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    page = report()
    assert '<img src=x onerror="alert(1)">.jpg' in page.text
    assert "spam<b>er" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "fin\\u202egpj.exe.jpg" in page.text  # a right-to-left override would show another file type
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "link", "b>er"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_versions_stand_side_by_side_and_their_names_are_text(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    assert "side by side" not in report().text
    day = monitor_store(storage, LAYOUT, config).day(DAY)
    found = answered_by_several(day, {"7": 0.5, '<b onclick="x">8': 0.3, "9": 0.2})
    page = report()
    assert "The model versions of the day, side by side" in page.text
    assert "production's version 7" in page.text
    assert '<b onclick="x">8' in page.text
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "answered by 7, and these are scored here. Intervals" in page.text
    assert (
        f"{found.sampled - found.labels - found.ties - found.unclear - found.unanswered} of other versions" in page.text
    )
    storage.delete(LAYOUT.day(DAY).performance)
    morning = report().text
    assert "By the scores alone" in morning
    assert "Difference to the serving version" not in morning


def test_images_without_an_answer_are_told(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    key = LAYOUT.day(DAY).performance
    storage.write_json(key, {**storage.read_json(key), "unpredicted": 4})
    assert "The other 4 have no answer: they are not scored" in report().text


def test_more_versions_than_fit_are_counted(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    answered_by_several(monitor_store(storage, LAYOUT, config).day(DAY), {f"{n}": 0.1 for n in range(10)})
    assert "4 more versions, which answered fewer images, are in performance.json" in report().text


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


def test_history_shows_fourteen_days_with_drift_and_the_model_that_took_over(
    build_day: Callable, report: Callable
) -> None:
    for back, version in ((20, "v1"), (13, "v1"), (2, "v1"), (0, "v2 <&>")):
        build_day(DAY - timedelta(days=back), damaged=back == 2, version=version)
    page = report()
    begins = [index for index, (tag, _) in enumerate(page.tags) if tag == "svg"]
    first = next(index for index in begins if page.tags[index][1].get("class") == "history")
    tags = page.tags[first : next(index for index in begins if index > first and "class" in page.tags[index][1])]
    chart = [
        attributes for tag, attributes in tags if tag in ("circle", "path") and "dot" in (attributes["class"] or "")
    ]
    assert len(chart) == 3  # the day twenty days ago is outside
    assert [attributes["class"] for _, attributes in tags if attributes.get("class") in ("drifted", "takeover")] == [
        "drifted",
        "takeover",
    ]
    assert "new model v2 <&>" in page.text
    assert "accuracy of the last 14 days" in [attributes.get("aria-label") for _, attributes in page.tags]


def test_what_moved_is_shown_over_the_days_with_the_medians_of_the_artifacts(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    for back in (2, 1, 0):
        build_day(DAY - timedelta(days=back), damaged=back == 0)
    page = report()
    shown = [
        entry["feature"]
        for entry in storage.read_json(LAYOUT.day(DAY).drift)["features"]
        if entry["verdict"] == "drifted"
    ]
    charts = [attributes for tag, attributes in page.tags if attributes.get("class") == "over-time"]
    assert len(charts) == min(4, len(shown)) > 0
    first = next(at for at, (_, attributes) in enumerate(page.tags) if attributes.get("class") == "over-time")
    end = next(
        (at for at, (tag, _) in enumerate(page.tags) if at > first and tag == "svg" and "class" in page.tags[at][1]),
        None,
    )
    across = [
        float((found["width"] or "").rstrip("%"))
        for _, found in page.tags[first:end]
        if found.get("class") == "reference"
    ]
    assert sum(across) == pytest.approx(95, abs=0.1)  # the reference lies behind every day
    for back in (2, 1, 0):
        day = DAY - timedelta(days=back)
        drift = storage.read_json(LAYOUT.day(day).drift)
        entry = next(entry for entry in drift["features"] if entry["feature"] == shown[0])
        said = f"{entry['day_quantiles'][2]:.3g}, reference {entry['reference_quantiles'][2]:.3g}, {entry['verdict']}"
        assert f"{day}: {feature_name(shown[0])} median {said}" in page.text


def test_a_quiet_day_shows_its_most_different_feature(build_day: Callable, report: Callable) -> None:
    build_day(DAY)
    assert [attributes["aria-label"] for _, attributes in report().tags if attributes.get("class") == "over-time"]


def test_day_that_decides_nothing_is_not_green(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY)
    keys = LAYOUT.day(DAY)
    drift, performance = storage.read_json(keys.drift), storage.read_json(keys.performance)
    for feature in drift["features"]:
        feature.update(
            p_value=None, verdict="not_enough_evidence", day_quantiles=[], effect=None, test="", direction="none"
        )
    drift.update(verdict="not_enough_evidence", p_value=None, score=None, drifted_features=[], n=4)
    undefined = {"value": None, "low": None, "high": None, "n": 0, "reason": "no image of the sample has a label"}
    performance.update(verdict="not_enough_evidence", reasons=["0 labels."], labels=0, accuracy=undefined)
    performance["classes"] = {
        name: {"precision": undefined, "recall": undefined, "f1": undefined, "support": 0} for name in ("cat", "dog")
    }
    performance["confusion_matrix"]["rows"] = [[0, 0], [0, 0]]
    performance["agreement"].update(alpha=None, unanimous=None)
    storage.write_json(keys.drift, drift)
    storage.write_json(keys.performance, performance)
    page = report()
    assert (
        "Too few images to judge drift; there is not enough evidence about the model: accuracy not measured"
        in page.text
    )
    badges = [
        attributes["class"] for _, attributes in page.tags if (attributes.get("class") or "").startswith("badge ")
    ]
    assert badges[:2] == ["badge unsure", "badge unsure"]


def test_long_lists_of_rejected_files_are_counted_not_dropped(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    import pandas as pd

    build_day(DAY, until="ingest")
    keys = LAYOUT.day(DAY)
    manifest = storage.read_table(keys.manifest)
    bad = manifest[manifest["status"] == "quarantined"].iloc[:1]
    storage.write_table(
        keys.manifest, pd.concat([manifest, *[bad.assign(key=f"demo/incoming/x/n{i}.jpg") for i in range(40)]])
    )
    assert "and 23 more in manifest.parquet" in report().text  # 43 unused files, 20 shown


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


def test_accuracy_is_told_as_measured_corrected_and_estimated_with_what_to_believe(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, accuracy=0.9)
    keys = LAYOUT.day(DAY)
    guess = {"value": 0.86, "low": 0.82, "high": 0.9, "n": 60}
    storage.write_json(keys.estimate, {**samples.ESTIMATE, "accuracy": guess})
    shares = [{"name": "cat", "reference": 0.5, "day": 0.9}, {"name": "dog", "reference": 0.5, "day": 0.1}]
    predictions = {**samples.CONTENT_DRIFT["predictions"], "verdict": "drifted", "classes": shares}
    content = {**samples.CONTENT_DRIFT["content"], "verdict": "ok"}
    storage.write_json(keys.content_drift, {**samples.CONTENT_DRIFT, "content": content, "predictions": predictions})
    found = storage.read_json(keys.performance)
    earlier = {"revision": 1, "verdict": "not_enough_evidence", "accuracy": None, "labels": 0, "model_version": "v1"}
    storage.write_json(keys.performance, {**found, "estimated": guess, "revisions": [earlier]})
    text = report().text
    for name in ("Agreement with the labels", "Corrected for wrong labels", "By the scores alone"):
        assert name in text
    assert "86 % [82, 90]" in text
    assert "Do not trust the estimate from scores today: the model answers cat 90 % and dog 10 %" in text
    assert "On 1 labelled day of this model shown here it was off by" in text
    assert "not enough evidence (0 labels), now" in text


def test_the_morning_report_has_the_estimate_from_scores(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, until="drift")
    guess = {"value": 0.86, "low": 0.82, "high": 0.9, "n": 60}
    storage.write_json(LAYOUT.day(DAY).estimate, {**samples.ESTIMATE, "accuracy": guess, "answers": None})
    text = report().text
    assert "≈ 86 %" in text
    assert "By the scores alone" in text
    assert "Agreement with the labels" not in text


def test_a_failed_day_says_first_where_and_why_and_a_day_that_is_none_has_the_same_bytes(
    build_day: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    key = write_report(monitor_store(storage, LAYOUT, config).day(DAY))
    before = storage.read_bytes(key)
    failure = Failure(task="upload_features", reason="refused: <b>403</b>")
    base.write(storage, LAYOUT.day(DAY).failure, failure)
    page = Page(storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(DAY))).decode())
    assert "The day failed at upload_features. The images" in page.text
    assert "failed at upload_features: refused: <b>403</b>" in page.text
    assert ("header", {"class": "card head bad"}) in page.tags
    storage.delete(LAYOUT.day(DAY).failure)
    assert storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(DAY))) == before
