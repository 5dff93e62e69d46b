"""A stranger who reads what is refused knows which line to change, and into what."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch.config.loader import load_monitor
from driftwatch.errors import ConfigError

GOOD = """\
name: demo
classes: [cat, dog]
schedule: {start_date: 2026-01-01}
storage: {uri: file:///data}
"""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("perfomance: {floor: 0.8}", "perfomance: unknown key; performance may be meant, line 5"),
        ("performance: {poolday: 1}", "performance.poolday: unknown key; pool_days may be meant, line 5"),
        ("annotation: {projectname: a}", "annotation.projectname: unknown key; project_name may be meant, line 5"),
        ("segments: {camera: {kee: a}}", "segments.camera.kee: unknown key; key may be meant, line 5"),
        (
            "floor: 0.8",
            "floor: unknown key here; there is performance.floor: look at how far its line is indented, line 5",
        ),
        (
            "watch: {timezone: Europe/Berlin}",
            "watch.timezone: unknown key; allowed here are spend_share, pool_hours, reference_days (docs/configuration.md), line 5",
        ),
        ("name: Lack 2", "name: Small letters a to z, digits and _, 2 to 61 of them, a letter first."),
        (
            "registry: {mlflow: {connection: mlflow, model: 'a:b'}}",
            "registry.mlflow.model: The registered model's name there",
        ),
        ("classes: [cat]", "classes: must have at least 2 entries, not 1 (got ['cat']), line 2"),
        ("images: {formats: [jpg]}", "images.formats.0: Input should be 'jpeg', 'png'"),
        (
            "model: {input: {size: 0}}",
            "model.input.size: Input should be greater than or equal to 16; or must be a list, like [a, b] (got 0), line 5",
        ),
        (
            "model: {input: {size: [0, 224]}}",
            "model.input.size.0: Input should be greater than or equal to 16 (got 0), line 5",
        ),
        (
            "model: {input: {scale: 0-1}}",
            "model.input.scale: Input should be a valid number, unable to parse string as a number; or Input should be '0..1', '-1..1', "
            "'imagenet' or 'caffe' (got '0-1'), line 5",
        ),
    ],
)
def test_one_mistake_is_one_line_with_the_field_as_the_file_spells_it(tmp_path: Path, wrong: str, told: str) -> None:
    path, name = tmp_path / "demo.yaml", wrong.partition(":")[0]
    known = GOOD.splitlines(keepends=True)
    lines = [f"{wrong}\n" if line.startswith(f"{name}:") else line for line in known]
    path.write_text("".join(lines if lines != known else [*known, wrong]))

    with pytest.raises(ConfigError) as refused:
        load_monitor(path)

    first, *rest = str(refused.value).splitlines()
    assert first == f"{path}: 1 setting(s) refused:"
    assert len(rest) == 1
    assert rest[0].startswith(f"  {told}")


def test_a_setting_for_all_monitors_is_refused_by_the_file_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(GOOD)
    shared = tmp_path / "execution.yaml"
    shared.write_text("defaults: {retrys: 3}\n")

    with pytest.raises(ConfigError, match="retries may be meant, line 1") as refused:
        load_monitor(tmp_path / "demo.yaml")

    assert str(shared) in str(refused.value)
