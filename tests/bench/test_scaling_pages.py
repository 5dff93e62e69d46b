"""What the benchmarks of docs/scaling.md say of what they measured, and that each finds its place in the page."""

from __future__ import annotations

import pytest
from bench import large_day, s3_day, scaling, tasks_a_minute
from bench.page_parts import SCALING


def test_a_ratio_is_that_of_its_own_round():
    rounds = s3_day.Rounds(images=1000, bytes=20_000, folder=[1.0, 2.0, 1.0], s3=[1.5, 2.2, 1.2])
    assert rounds.ratios == pytest.approx([1.1, 1.2, 1.5])
    assert rounds.seconds_an_image == pytest.approx(0.0005)  # median 1.5 s and 1.0 s
    assert "**1.20 times** the same day from a folder (1.10 to 1.50 in 3 rounds): 1.50 ms" in rounds.sentence()


def test_tasks_are_counted_by_the_minute_and_their_processor_time_by_the_task():
    rows = [tasks_a_minute.Found("LocalExecutor", True, 150, 90.0, 75.0)]
    assert "| LocalExecutor | yes | 100 | 0.50 s |" in tasks_a_minute.table(rows, at_once=4)


@pytest.mark.parametrize("of", [large_day, s3_day, tasks_a_minute, scaling])
def test_each_table_has_its_place_in_the_page(of, tmp_path):
    text = SCALING.read_text()
    assert of.PART.page == SCALING
    assert text.count(f"{of.PART.begin}\n") == text.count(f"{of.PART.end}\n") == 1
    page = tmp_path / "scaling.md"
    page.write_text(text)
    part = of.PART._replace(page=page)
    part.write("measured\n")
    before, _, rest = text.partition(part.begin)
    assert page.read_text() == f"{before}{part.begin}\nmeasured\n{part.end}{rest.partition(part.end)[2]}"
    page.write_text(text.replace(part.end, ""))
    with pytest.raises(SystemExit, match=r"scaling\.md lacks the line"):
        part.write("measured\n")
    assert page.read_text() == text.replace(part.end, "")  # what follows the mark is not lost


def test_the_files_of_the_large_day_are_what_is_said_of_them(tmp_path):
    """Of the first 2,000: the product counts what `expected` says."""
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.images.ingest import DayModel, ingest_day

    large_day._fill(tmp_path, 0, 2_000, 2_000)
    found = ingest_day(large_day._store(tmp_path).day(large_day.DAY), DayModel("v1", ModelInput.square(32)))
    wanted = large_day.expected(2_000)
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert 0 < wanted["duplicate"] < wanted["quarantined"] + wanted["duplicate"] < 50
