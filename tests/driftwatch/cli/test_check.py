"""`driftwatch check`: what a monitor file would do and cost, and what of it cannot work, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.driftwatch.artifacts import samples

from driftwatch import cli
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage

Check = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Checks a monitor file with these parts changed, and gives the lines that it prints."""

    def run(**parts: dict[str, Any]) -> list[str]:
        settings: dict[str, Any] = {
            "name": "shades",
            "classes": ["dark", "light"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{tmp_path}/storage"},
            "model": {"input_size": 32},
            "annotation": {"project_name": "Shades", "question": "Which?", "instructions": "Look.", "sample_size": 90},
        }
        for name, part in parts.items():
            settings[name] = {**settings.get(name, {}), **part}
        path = tmp_path / "monitor.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        code = cli.main(["check", str(path)])
        captured = capsys.readouterr()
        assert (code, captured.err) == (0, "")
        return captured.out.splitlines()

    return run


def warnings(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("Warning: ")]


def test_a_first_day_that_is_still_to_come_is_a_warning(check: Check) -> None:
    assert warnings(check(schedule={"start_date": "2099-01-01"})) == [
        "Warning: schedule.start_date 2099-01-01 is still to come: no day before it is monitored"
    ]


def test_a_sound_file_is_told_with_its_cost_and_without_a_warning(check: Check, tmp_path: Path) -> None:
    lines = check()
    assert lines[0] == f"{tmp_path}/monitor.yaml: valid. Monitor shades: dark, light"
    assert "after each UTC day from 2026-01-01" in lines[1]
    own = f"file://{tmp_path}/storage/shades"
    assert f"images in {own}/incoming/{{day}}, artifacts in {own}" in lines[1]
    assert lines[2] == (
        f"Champion: none yet; run driftwatch champion train {tmp_path}/monitor.yaml --images FOLDER, or champion import with your own model's file"
    )
    assert lines[3].startswith("A day of 90 labelled images: 30 pages, 1.80 USD with the fee")
    assert "30 such days 54.00 USD" in lines[3]
    assert not warnings(lines)


def test_images_for_training_cost_like_the_others(check: Check) -> None:
    (line,) = (line for line in check(annotation={"extra_for_training": 9}) if line.startswith("A day of"))
    assert line.startswith("A day of 99 labelled images: 33 pages, 1.98 USD with the fee")


def test_where_peoples_time_is_what_labels_cost_its_hours_are_told(check: Check) -> None:
    lines = check(annotation={"backend": "desk", "price_per_hour": 20, "control_tasks": 10, "overlap": 3})
    assert lines[3].startswith("A day of 90 labelled images: 0.5 hours of people's time, 10.00 USD (limit 20.00)")


def test_where_production_answers_the_first_champion_is_imported(check: Check, tmp_path: Path) -> None:
    logged = {"path": "logs/{day}/*", "columns": {"key": "file", "prediction": "said"}}
    lines = check(model={"predictions": "logged", "logged": logged})
    file = f"{tmp_path}/monitor.yaml --images FOLDER --answers FILE"
    assert lines[2] == f"Champion: none yet; run driftwatch champion import {file}"


def test_a_check_writes_nothing(check: Check, tmp_path: Path) -> None:
    check()
    assert not (tmp_path / "storage").exists()


def test_a_sample_that_can_never_have_a_verdict_is_warned_of(check: Check) -> None:
    found = warnings(check(annotation={"sample_size": 20}))
    assert [line for line in found if "labels.sample_size is below performance.min_labels" in line]


def test_a_day_above_its_limit_is_warned_of_and_one_at_the_limit_is_not(check: Check) -> None:
    said = "a full day costs more than labels.max_cost_per_day"
    assert said in "".join(warnings(check(annotation={"max_cost_per_day": 1.79})))
    assert said not in "".join(warnings(check(annotation={"max_cost_per_day": 1.8})))


def test_a_months_limit_is_told_in_full_days(check: Check) -> None:
    (warning,) = warnings(check(annotation={"max_cost_per_month": 18.5}))
    assert "labels.max_cost_per_month is enough for 10 full days of a month" in warning


def test_a_gate_that_needs_more_images_than_a_day_leaves_is_warned_of(check: Check) -> None:
    lines = check(retraining={"evaluation_share": 0.2, "min_evaluation_labels": 40})
    assert (
        "Warning: one day leaves 18 images for the gate, which needs 40: a single alert cannot promote a model" in lines
    )
    assert [line for line in lines if "of which 18 a day are kept for evaluation" in line]


def test_an_automatic_sample_is_told_as_a_number(check: Check) -> None:
    wide, narrow = (
        next(line for line in check(annotation={"sample_size": "auto", "interval_width": width}) if "A day of" in line)
        for width in (0.3, 0.15)
    )
    assert int(narrow.split()[3]) > int(wide.split()[3]) > 0


def test_who_must_agree_to_a_promotion_is_told(check: Check) -> None:
    assert [line for line in check(retraining={"promotion": "approval"}) if line.endswith("promotion: approval")]


@pytest.mark.parametrize(("said", "told"), [(None, "keras"), ("handover", "handover")])
def test_who_trains_is_told(check: Check, said: str | None, told: str) -> None:
    lines = check(retraining={"trainer": said} if said else {})
    assert f"trainer: {told}; promotion" in lines[4]
    assert not warnings(lines)


def test_a_trainer_that_is_not_installed_here_is_warned_of_before_an_alert_needs_it(check: Check) -> None:
    (warning,) = warnings(check(retraining={"trainer": "our_package.training:OurTrainer"}))
    assert "retraining.trainer: our_package.training:OurTrainer cannot be loaded" in warning
    assert warning.endswith("The workers need it when an alert comes")


def test_the_champion_that_serves_is_named(check: Check, tmp_path: Path) -> None:
    storage, layout = open_storage(f"file://{tmp_path}/storage"), MonitorKeys("shades")
    version = "v0042-0badcafe"
    card = {**samples.FIRST_CARD, "version": version, "classes": ["dark", "light"], "input_size": 32}
    storage.write_json(layout.model_card(version), card)
    storage.write_json(layout.champion, {"version": version, "previous": None, "promoted_by": "test", "sha256": ""})
    assert f"Champion: {version}" in check()


TABLE = {"covers": "all", "path": "truth/{day}.csv", "columns": {"key": "file", "label": "truth"}}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"backend": "none"}, ["Labels: none. Drift is watched; nobody can tell how accurate the model is"]),
        (
            {"backend": "table", "wait_days": 20, "table": TABLE},
            ["Labels come from a table, truth/{day}.csv, for up to 20 days", "An alert retrains on the labels of"],
        ),
        (
            {"backend": "table", "table": {**TABLE, "covers": "unknown"}},
            ["it covers unknown", "No alert: retraining is"],
        ),
    ],
)
def test_without_people_nothing_is_planned_and_nothing_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], labels: dict[str, Any], said: list[str]
) -> None:
    file = {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{tmp_path}/storage"},
        "labels": labels,
    }
    path = tmp_path / "monitor.yaml"
    path.write_text(yaml.safe_dump(file), encoding="utf-8")
    assert cli.main(["check", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(any(part in line for line in lines) for part in said)
    assert not any("USD" in line for line in lines)
    assert not warnings(lines)


def test_where_images_lie_apart_is_said_and_a_wrong_path_is_refused(check: Check, tmp_path: Path, capsys) -> None:
    layout = {"paths": "s3://cams/prod", "inventory": {"path": "s3://cams/lists/{day}.csv"}}
    lines = check(images={"layout": layout})
    assert (
        f"images in s3://cams/prod, named by s3://cams/lists/{{day}}.csv, which are only read; artifacts in file://{tmp_path}/storage/shades"
        in lines[1]
    )
    layout["inventory"] |= {"days_later": 1}
    assert (
        "named by s3://cams/lists/{day}.csv (days_later: 1), which are only read" in check(images={"layout": layout})[1]
    )
    path = tmp_path / "monitor.yaml"
    wrong = yaml.safe_load(path.read_text())
    for paths, said in (
        ("s3://cams/{date}", "allowed in braces are {day}"),
        ("s3://cams/prod", "put {day}"),
        ("raw/../{day}", ".."),
    ):
        wrong["images"] = {"layout": {"paths": paths}}
        path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
        assert cli.main(["check", str(path)]) != 0
        told = capsys.readouterr().err
        assert "images.layout" in told
        assert said in told
