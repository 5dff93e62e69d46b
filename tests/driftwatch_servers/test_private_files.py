"""Files with secrets: nobody but their owner can read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftwatch_servers.private_files import check_private, write_private


@pytest.mark.parametrize("before", [None, 0o666])
def test_what_is_written_is_readable_by_its_owner_alone_whatever_was_there(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "secret.json"
    if before:
        path.write_text("something longer than what comes")
        path.chmod(before)
    umask = os.umask(0)
    try:
        write_private(path, "secret")
    finally:
        os.umask(umask)
    assert path.read_text() == "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    check_private(path, "--people")


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o601])
def test_a_file_that_others_may_touch_is_refused_by_its_option_and_name(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret.json"
    path.touch()
    path.chmod(mode)
    with pytest.raises(
        ValueError, match=rf"--people .*secret\.json: others may read it \(mode {mode:03o}\); run chmod 600"
    ):
        check_private(path, "--people")
