"""TensorFlow's own lines stay off the terminal, and nobody else's."""

from __future__ import annotations

import os

import pytest

from driftwatch.cli.quiet import quiet_tensorflow


def test_tensorflows_own_lines_are_dropped_and_nobody_elses(capfd) -> None:
    lines = [
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "I0000 00:00:1795708227.666551   28009 port.cc:153] oneDNN custom operations are on.",
        "2026-11-26 15:59:01.123456: W tensorflow/core/framework/local_rendezvous.cc:407] Local rendezvous "
        + 1000 * "x",
        "2026-11-26 15:59:01.123456: E tensorflow/core/x.cc:1] out of memory",
        "something else",
    ]
    with quiet_tensorflow():
        for line in lines:
            os.write(2, f"{line}\n".encode())
    os.write(2, b"after\n")
    assert capfd.readouterr().err.splitlines() == [*lines[3:], "after"]
    with quiet_tensorflow(debug=True):
        os.write(2, b"I0000 00:00:1 x] all\n")
    assert "all" in capfd.readouterr().err


def test_standard_error_is_given_back_after_an_error_with_what_was_said_before_it(capfd) -> None:
    def fails() -> None:
        with quiet_tensorflow():
            os.write(2, b"said before\n")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fails()
    os.write(2, b"I0000 00:00:1 said after\n")
    assert capfd.readouterr().err.splitlines() == ["said before", "I0000 00:00:1 said after"]


def test_a_last_line_without_an_end_is_shown(capfd) -> None:
    with quiet_tensorflow():
        os.write(2, b"half a line")
    assert capfd.readouterr().err == "half a line"


def test_no_file_is_left_open(capfd) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with quiet_tensorflow():
            os.write(2, b"x\n")
    assert len(os.listdir("/proc/self/fd")) == before
