"""One file's mistake stays in that file, whatever it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor, load_monitors, monitor_files, monitors_folder
from driftwatch.errors import ConfigError

GOOD = """\
name: {name}
classes: [cat, dog]
schedule: {{start_date: 2026-01-01}}
storage: {{uri: file:///data}}
annotation: {{project_name: p, question: q, instructions: i}}
"""


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_monitor(path)
    message = str(caught.value)
    message.encode()  # databases and logs hold it
    assert path.suffix in message
    assert len(message) < 5000
    return message


def written(folder: Path, text: str | bytes, name: str = "monitor.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("wrong", "field", "allowed"),
    [
        (
            "schedule: {start_date: 2026-02-30}",
            "schedule.start_date",
            "day is out of range for month (got '2026-02-30'), line 6",
        ),
        ("schedule: {start_date: 2026-13-01}", "schedule.start_date", "month"),
        ("schedule: {start_date: 1767225600}", "schedule.start_date", "YYYY-MM-DD"),
        ("schedule: {start_date: 0001-01-01}", "schedule.start_date", "2000 to 2099"),
        ("schedule: {start_date: 2026-01-02, end_date: 2026-01-01}", "schedule", "is before start_date"),
        ("schedule: {start_date: 2026-01-01, end_date: 9999-12-31}", "schedule.end_date", "2000 to 2099"),
        ("retraining: {approval_hours: 1e12}", "retraining.approval_hours", "less than or equal to 2160"),
        ("retraining: {approval_hours: .inf}", "retraining.approval_hours", "finite number"),
        ("annotation: {max_cost_per_day: .inf}", "annotation.max_cost_per_day", "finite number"),
        ("annotation: {max_cost_per_day: .nan}", "annotation.max_cost_per_day", "finite number"),
        ("annotation: {max_cost_per_month: 1e300}", "annotation.max_cost_per_month", "less than or equal to 10000000"),
        ("annotation: {page_seconds: 99999999999999999999}", "annotation.page_seconds", "less than or equal to 86400"),
        ("performance: {floor: true}", "performance.floor", "true and false are for switches"),
        ("annotation: {question: 'Is it ${ANIMAL}?'}", "annotation.question", "replaced in storage.uri alone"),
        ("notifiers: [{notifier: a.B, arguments: {to: ['${WHO:-me}']}}]", "notifiers.0.arguments", "storage.uri alone"),
        ("storage: {uri: 's3://${BUCKET:-b}/${'}", "storage.uri", "still has a"),
        ("classes: [cat, dog/wolf]", "classes", "can be no folder"),
        ("classes: [cat, ..]", "classes", "can be no folder"),
        ("classes: [cat, '']", "classes", "is empty"),
        ("classes: [cat, ' dog']", "classes", "begins or ends with a space"),
        ('classes: [cat, "a\\nb"]', "classes", "line end"),
        ("classes: [Cat, cat]", "classes", "distinct"),
        ('classes: ["caf\\u00e9", "cafe\\u0301"]', "classes", "distinct"),
        ("classes: [cat, Unclear]", "classes", "is taken"),
        ("classes: [cat, true]", "classes", "put it in quotes"),
        ("classes: [cat, 1.5]", "classes", "put it in quotes"),
        ("classes: [cat, ]", "classes", "at least 2"),
        (f"classes: [cat, {'d' * 300}]", "classes", "longer than 200 bytes"),
        ("profiling: {group_pattern: 'a{99999999999}'}", "profiling.group_pattern", "no regular expression"),
        (f"owner_link: https://{'a' * 600}", "owner_link", "at most 500"),
        ("performance: {trend_false_alarms: 1e999}", "performance.trend_false_alarms", "finite number"),
        ("annotation: {sample_size: 1e9}", "annotation.sample_size", "less than or equal to 100000"),
        ("annotation: [1]", "annotation", "dictionary"),
        ("images: {ignore: '*.txt'}", "images.ignore", "must be a list, like [a, b] (got '*.txt')"),
        ("images: {fl\u202eip: 1}", r"images.fl\u202eip", "unknown key"),
        ("paint: red", "paint", "(docs/configuration.md), line 6"),
    ],
)
def test_a_mistake_is_told_with_its_field_and_what_is_allowed(tmp_path, wrong, field, allowed):
    section = wrong.partition(":")[0]
    lines = [line for line in GOOD.format(name="aa").splitlines() if not line.startswith(f"{section}:")]
    if section not in ("annotation", "schedule", "storage", "classes"):
        lines = GOOD.format(name="aa").splitlines()
    message = refusal(written(tmp_path, "\n".join([*lines, *[""] * (5 - len(lines)), wrong])))
    assert field in message
    assert allowed in message


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "9" * 5000,
        "[" * 30_000,
        "a: !!int abc",
        "? [a]\n: b",
        b"\xff\xfe\x00",
        b"\x00",
        "name: " + "n" * 200_000,
        "annotation: [" + "1, " * 20_000 + "]",
        "".join(f"k{n}: 1\n" for n in range(5000)),
        "classes: [" + "[" * 40 + "x" + "]" * 40 + "]",
        "schedule: &a {start_date: *a}",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_whatever_a_file_holds_it_is_one_refusal_of_bounded_length(tmp_path, text):
    refusal(written(tmp_path, text))


def test_what_is_no_file_is_refused_by_its_name(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    written(tmp_path, GOOD.format(name="good"), "good.yaml")
    assert "no regular file" in refusal(tmp_path / "folder.yaml")
    assert "no regular file" in refusal(tmp_path / "pipe.yaml")
    assert "links to" in refusal(tmp_path / "dangling.yaml")
    refusal(tmp_path / "loop.yaml")
    refusal(tmp_path / ("long" * 100 + ".yaml"))
    found = {path.stem: monitor for path, monitor in load_monitors(tmp_path)}
    assert set(found) == {"folder", "dangling", "loop", "pipe", "good"}
    assert [name for name, monitor in found.items() if isinstance(monitor, MonitorConfig)] == ["good"]


def test_a_name_that_no_database_holds_is_escaped(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n.yaml"))
    path.write_text("colour: red")
    assert r"\udcff\n.yaml" in refusal(path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path, "a: 1")

    def forbidden(*arguments: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)  # root may read all
    assert "Permission denied" in refusal(path)


def test_hidden_files_and_an_editors_are_no_monitors(tmp_path):
    (tmp_path / ".#x.yaml").symlink_to("someone@machine.4711:1")
    for name in (".hidden.yaml", "#x.yaml#", "#x.yaml", "x.yaml~", ".x.yaml.swp", "x.yaml.bak", "x.yaml"):
        (tmp_path / name).touch()
    assert [path.name for path in monitor_files(tmp_path)] == ["x.yaml"]


def test_of_two_files_with_one_name_the_second_is_refused_and_names_the_first(tmp_path):
    for file, name in (("b.yaml", "one"), ("a.yml", "one"), ("c.yaml", "two"), ("d.yaml", "one")):
        written(tmp_path, GOOD.format(name=name), file)
    found = {path.name: monitor for path, monitor in load_monitors(tmp_path)}
    assert isinstance(found["a.yml"], MonitorConfig)
    assert isinstance(found["c.yaml"], MonitorConfig)
    for refused in ("b.yaml", "d.yaml"):
        assert "name 'one' is that of a.yml already" in str(found[refused])


def test_sections_that_are_commented_out_and_holders_of_anchors_are_fine(tmp_path):
    text = GOOD.format(name="aa") + (
        "x-shared: &shared\n  floor: 0.6\nperformance:\n  <<: *shared\n  alpha: 0.05\nimages:\n  # min_side: 3\n"
        "notifiers:\n  # - notifier: a.B\nmodel:\n  recipe:\n"
    )
    monitor = load_monitor(written(tmp_path, text))
    assert (monitor.performance.floor, monitor.performance.alpha) == (0.6, 0.05)
    assert monitor.images.min_side == 32
    assert monitor.notifiers == ()


def test_numbers_and_words_of_old_yaml_are_classes_as_they_are_written(tmp_path):
    for classes, expected in (
        ("[yes, no]", ("yes", "no")),
        ("[0, 1]", ("0", "1")),
        ("[on, off, 010]", ("on", "off", "010")),
        ("[2026-01-01, 1:30]", ("2026-01-01", "1:30")),
    ):
        text = GOOD.format(name="aa").replace("[cat, dog]", classes)
        assert load_monitor(written(tmp_path, text)).classes == expected


def test_the_documented_notifier_is_read_as_it_stands(tmp_path, root):
    block = (root / "docs/operate/notifiers.md").read_text().partition("```yaml\nnotifiers:")[2].partition("```")[0]
    monitor = load_monitor(written(tmp_path, GOOD.format(name="aa") + "notifiers:" + block))
    assert set(monitor.notifiers[0].on) >= {"performance", "short_pool", "empty_day"}


def numbers(model: type[BaseModel], path: str = "") -> Any:
    """Every field that holds a number, with the limits that stand anywhere in its type."""
    from driftwatch.config.docs import _section, _unpacked

    for name, field in model.model_fields.items():
        if inner := _section(field.annotation):
            yield from numbers(inner, f"{path}{name}.")
            continue
        kinds, limits = [field.annotation], list(field.metadata)
        while kinds:
            kind = kinds.pop()
            limits += _unpacked(getattr(kind, "__metadata__", ()))
            kinds += [part for part in getattr(kind, "__args__", ()) if not isinstance(part, str)]
            if kind in (int, float):
                yield f"{path}{name}", limits


def test_every_number_of_the_monitor_file_is_bounded_on_both_sides():
    found = dict(numbers(MonitorConfig))
    assert len(found) > 50
    unbounded = [
        name
        for name, limits in found.items()
        if not (any(isinstance(one, Ge | Gt) for one in limits) and any(isinstance(one, Le | Lt) for one in limits))
    ]
    assert unbounded == []


def test_broken_yaml_is_refused_with_the_line(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_text("name: cats\nclasses: [cat, dog\n")
    message = refusal(path)
    assert str(path) in message
    assert "line 3" in message


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_bytes(b"\xff\xfe\x00\x9f")
    assert f"{path}: cannot be read as YAML" in refusal(path)


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "none.yaml") == f"{tmp_path / 'none.yaml'}: no such monitor file"


@pytest.mark.parametrize(("text", "kind"), [("- cat\n- dog\n", "list"), ("", "NoneType"), ("cats", "str")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, kind):
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    message = refusal(path)
    assert str(path) in message
    assert "must hold a mapping" in message
    assert kind in message


def test_monitors_are_found_in_the_folder_of_the_environment_in_order(tmp_path, monkeypatch):
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    assert [path.name for path in monitor_files()] == ["a.yaml", "b.yml"]


def test_without_a_setting_the_shipped_folder_is_read(root, monkeypatch):
    monkeypatch.delenv("DRIFTWATCH_MONITORS", raising=False)
    assert monitors_folder() == root / "include/monitors"
