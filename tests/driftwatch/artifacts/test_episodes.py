"""episodes.json is read whole and written again to the byte."""

from __future__ import annotations

from datetime import date

from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage

from . import samples
from .checks import read_whole

KEY = MonitorKeys("demo").day(date(2026, 1, 8)).file(DayEpisodes.file)


def test_a_file_is_read_whole_and_written_again(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(KEY, samples.EPISODES)
    found = read_whole(storage, KEY, DayEpisodes)
    (episode,) = found.open
    assert (episode.current, episode.course, episode.day_number(found.day)) == (("image_quality",), "worse", 4)
