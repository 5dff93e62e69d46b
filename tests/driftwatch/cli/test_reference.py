"""`driftwatch reference`: what people type to say what is usual, and what it answers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.driftwatch.drift.days import features_of, put_features

from driftwatch import cli
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.artifacts.store import DayStore
from driftwatch.cli.monitor import monitor_of
from driftwatch.drift.image_quality import build_image_reference, profile_day

DAY, LATER = date(2026, 3, 4), date(2026, 3, 5)


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    """A monitor file; its training data, and a day on which every image is blurred."""
    path = tmp_path / "cats.yaml"
    settings = {
        "name": "cats",
        "classes": ["cat", "dog"],
        "schedule": {"start_date": "2026-03-01"},
        "storage": {"uri": f"file://{tmp_path}/storage"},
        "segments": {"camera": {"key": "^([^/]+)/"}},
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    (tmp_path / "storage").mkdir()
    day = of(path, DAY)
    build_image_reference(day.monitor, "v1", features_of(200, 0))
    put_features(day, features_of(100, 1, blurred=100))
    return path


def of(path: Path, day: date) -> DayStore:
    return monitor_of(cli.parser().parse_args(["reference", "list", str(path)])).day(day)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.main(["reference", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def judged(path: Path) -> DayDrift:
    put_features(of(path, LATER), features_of(100, 2, blurred=100))
    return profile_day(of(path, LATER), "v1")


def test_a_camera_that_was_mistyped_is_told_with_those_that_are_there(monitor, capsys) -> None:
    drift = judged(monitor)
    assert of(monitor, LATER).find(DayDrift) == drift
    camera = SegmentDrift(by="camera", name="door-17", images=30, status="usual")
    of(monitor, LATER).write(drift.model_copy(update={"segments": (camera,)}))
    rest = ("--until", "2026-04-01", "--reason", "x")
    warned = run(capsys, "mute", monitor, "camera=dor-17", *rest)[1].splitlines()
    assert warned[1:] == [
        "Warning: 2026-03-05, the newest day that was judged, has no segment camera=dor-17; it has camera=door-17. If it was mistyped, unmute it"
    ]
    assert len(run(capsys, "mute", monitor, "camera=door-17", *rest)[1].splitlines()) == 1


def test_days_are_accepted_listed_and_withdrawn_with_who_and_why(monitor, capsys) -> None:
    assert run(capsys, "accept", monitor, "--days", DAY, "--reason", "a new lens", "--by", "ann") == (
        0, "2026-03-04: days after 2026-03-04 that are like it are usual (100 images)\n", "",
    )  # fmt: skip
    assert judged(monitor).state == "2026-03-04"
    assert "it was dirt" not in run(capsys, "list", monitor)[1]
    assert run(capsys, "withdraw", monitor, DAY, "--reason", "it was dirt", "--by", "bob")[0] == 0
    _, listed, _ = run(capsys, "list", monitor)
    assert "* training" in listed
    assert "  2026-03-04  2026-03-04  100 images\n      accepted" in listed
    assert "by ann: a new lens" in listed
    assert "by bob: it was dirt" in listed
    assert judged(monitor).verdict == "drifted"


def test_a_muted_feature_does_not_alarm_until_its_day_and_stays_in_the_table(monitor, capsys) -> None:
    name = "image.Sharpness.laplacian"
    assert run(capsys, "mute", monitor, name, "--until", LATER, "--reason", "fog")[1] == (
        f"feature {name} does not alarm from 2026-03-04 to 2026-03-05\n"
    )
    drift = judged(monitor)
    assert (drift.verdict, drift.drifted_features, drift.features[0].silenced) == ("ok", (), "muted")
    assert [mute.reason for mute in drift.mutes] == ["fog"]
    assert f"feature {name} muted 2026-03-04 to 2026-03-05" in run(capsys, "list", monitor)[1]
    assert run(capsys, "unmute", monitor, name)[1] == f"{name} alarms again from 2026-03-05 on\n"
    assert judged(monitor).drifted_features == (name,)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({}, "* training  the images that the model was made from\n"),
        (
            {"baseline": "trailing"},
            "* trailing  the last 14 usual days; the training data as long as there are fewer\n",
        ),
        (
            {"baseline": "days", "days": [{"first": "2026-03-01", "last": "2026-03-03"}]},
            "* days  2026-03-01..2026-03-03\n",
        ),
    ],
)
def test_the_list_says_what_the_baseline_is(monitor, capsys, reference, said) -> None:
    settings = yaml.safe_load(monitor.read_text(encoding="utf-8")) | {"reference": reference}
    monitor.write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert run(capsys, "list", monitor) == (0, said, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("accept", "--days", "tomorrow", "--reason", "x"), "'tomorrow' is no day"),
        (("accept", "--days", "2026-03-09", "--reason", "x"), "2026-03-09: no images were taken in"),
        (("accept", "--days", "2026-03-04", "--reason", " "), "--reason is empty: say why"),
        (("withdraw", "lens", "--reason", "x"), "lens is no accepted state; these are: none"),
        (("mute", "sharpness", "--until", "2026-04-01", "--reason", "x"), "sharpness is no feature; the features are:"),
        (("mute", "camera=", "--until", "2026-04-01", "--reason", "x"), "write the segmentation and its value"),
        (
            ("mute", "camra=door-17", "--until", "2026-04-01", "--reason", "x"),
            "the monitor file's section segments has camera",
        ),
        (("mute", "camera= door-17", "--until", "2026-04-01", "--reason", "x"), "write the segmentation and its value"),
        (("mute", "camera=door-17", "--until", "2026-03-01", "--reason", "x"), "that is before 2026-03-04"),
        (("unmute", "camera=door-17"), "camera=door-17 is not muted on 2026-03-04 or later; muted are: none"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(monitor, capsys, arguments, said) -> None:
    action, *rest = arguments
    code, _, error = run(capsys, action, monitor, *rest)
    assert code in (1, 2)
    assert said in error
