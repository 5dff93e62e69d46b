"""The written table can be renewed in pieces, and what a piece did not measure stays as it was."""

from __future__ import annotations

from .matrix import EARLIER, LEGEND, added_to, render

CELLS = {
    "reset, once": {"s3 day_done GET a": "repeated", "s3 day_done GET gone": "repeated", "toloka GET b": "repeated"},
    "cut, once": {"s3 day_done GET a": f"went on{EARLIER}"},
}
HEAD = "# Faults\n\nWhat is an earlier run's.\n\n| `s3` | measured |\n| --- | --- |\n| reset, once | 2 |\n\n"
TEXT = f"{HEAD}{LEGEND}\n{render(CELLS, markdown=True)}\n"


def test_a_piece_renews_its_own_cells_and_leaves_the_head_and_all_others():
    assert added_to(TEXT, {}, set()) == TEXT
    found = added_to(TEXT, {"reset, once": {"s3 day_done GET a": "task retried"}}, set())
    assert found.startswith(HEAD)
    assert "| `day_done GET a` | went on* | task retried |" in found
    assert "| `day_done GET gone` | - | repeated |" in found
    assert "| `GET b` | repeated |" in found
    assert found.endswith("\n4 cells: 2 repeated, 1 task retried, 1 went on\n\n1 of them are an earlier version's.\n")


def test_a_call_that_no_day_makes_any_more_leaves_the_table():
    found = added_to(
        TEXT, {"reset, for ever": {"s3 day_done PUT c": "re-run"}}, {"s3 day_done GET a", "s3 day_done PUT c"}
    )
    assert "gone" not in found
    assert "| `day_done PUT c` | - | re-run | - |" in found
    assert "| `GET b` | repeated |" in found
