"""`driftwatch migrate` and `driftwatch keep` killed (SIGKILL) at each write and each delete, then run again: the same storage in the
end, and at no moment is anything lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree

import pytest
import yaml

from driftwatch.cli import main
from driftwatch.outside import watching

from ..artifacts import samples
from ..kills import When, touches

DAYS = ("2026-01-05", "2026-01-06")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def killed(number: int, when: When, command: list[str]) -> None:
    """Runs the command in a process of its own, which ends there by SIGKILL."""
    process = os.fork()
    if process == 0:
        count = 0

        def die(moment: str, what: str) -> None:
            nonlocal count
            if moment == when:
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                count += 1

        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            with watching(die):
                main(command)
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), f"the command was not killed {when} touch {number}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def killed_everywhere(make: Callable[[], Path], command: list[str], safe: Callable[[Path], None]) -> int:
    """Kills the command at each touch of a storage that `make` makes anew. `safe` looks at it after each kill. The number of touches."""
    folder = make()
    touched = touches(lambda: main(command))
    wanted = files(folder)
    # After one touch is before the next one.
    points: list[tuple[int, When]] = [(number, "before") for number in range(len(touched))]
    for number, when in [*points, (len(touched) - 1, "after")]:
        make()
        killed(number, when, command)
        safe(folder)
        assert main(command) == 0
        assert files(folder) == wanted, f"killed {when} {touched[number]}"
    return len(touched)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


def test_migrate_loses_nothing_and_goes_on(root, capsys):
    before = {f"cats_vs_dogs/{key}": data for key, data in files(samples.FOLDER).items()}

    def make() -> Path:
        rmtree(root, ignore_errors=True)
        copytree(samples.FOLDER, root / "cats_vs_dogs")
        return root

    def safe(folder: Path) -> None:
        now = files(folder)
        backup = {key: key.replace("cats_vs_dogs/", "cats_vs_dogs/migration_backup/", 1) for key in before}
        assert [key for key, data in before.items() if data not in (now.get(key), now.get(backup[key]))] == []
        assert [key for key in before if key not in now] == []

    assert (
        killed_everywhere(make, ["migrate", f"file://{root}", "--apply"], safe) == 46
    )  # a copy and a replacement each


def test_the_backup_is_dropped_by_a_repeat(root, capsys):
    migrated = root.with_name("migrated")
    copytree(samples.FOLDER, migrated / "cats_vs_dogs")
    assert main(["migrate", f"file://{migrated}", "--apply"]) == 0
    new = {key: data for key, data in files(migrated).items() if "/migration_backup/" not in key}

    def make() -> Path:
        rmtree(root, ignore_errors=True)
        return copytree(migrated, root)

    def safe(folder: Path) -> None:
        now = files(folder)
        assert {key: now.get(key) for key in new} == new

    assert killed_everywhere(make, ["migrate", f"file://{root}", "--drop-backup"], safe) == 23


def test_keep_removes_the_rest_and_nothing_else(root, tmp_path, capsys):
    always = {
        f"demo/days/{day}/{name}" for day in DAYS for name in ("manifest.parquet", "labels.parquet", "drift.json")
    }
    over = {f"demo/days/{day}/{name}" for day in DAYS for name in ("report.html", "shown/a.jpg", "shown/b.jpg")}
    keep = {"reports": 10, "shown": 10}
    raw = {"name": "demo", "classes": ["cat", "dog"], "schedule": {"start_date": "2026-01-01"}}
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump({**raw, "storage": {"uri": f"file://{root}", "keep": keep}}))

    def make() -> Path:
        rmtree(root, ignore_errors=True)
        for key in always | over:
            (root / key).parent.mkdir(parents=True, exist_ok=True)
            (root / key).write_bytes(key.encode())
        return root

    def safe(folder: Path) -> None:
        assert always <= set(files(folder)) <= always | over

    assert killed_everywhere(make, ["keep", str(file), "--today", "2026-02-01", "--apply"], safe) == len(over)
    assert set(files(root)) == always
