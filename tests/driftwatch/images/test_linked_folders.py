"""Days on a disk with links: none leads out of the place of the images, and none makes an image twice."""

from __future__ import annotations

from datetime import date

import pytest
from tests.elsewhere import store_of

from driftwatch.errors import NeedsAttention
from driftwatch.images.ingest import ingest_day
from driftwatch.images.listing import list_day
from driftwatch.storage import Storage, open_storage

from .days import MODEL, photo

DAY, OTHER = date(2026, 1, 8), date(2026, 1, 9)


@pytest.fixture
def own(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/store")


def test_links_of_a_file_system_lead_nowhere_else(own, tmp_path):
    (tmp_path / "cams/prod/2026-01-08").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(photo(1))
    (tmp_path / "cams/prod/2026-01-08/a.jpg").write_bytes(photo(2))
    (tmp_path / "cams/prod/2026-01-08/out.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "cams/prod/2026-01-09").symlink_to(tmp_path)
    store = store_of(own, {"paths": f"file://{tmp_path}/cams/prod/{{day}}"}, images={"max_reject_share": 1})
    assert ingest_day(store.day(DAY), MODEL).reasons == {"not_a_file": 1}
    with pytest.raises(
        NeedsAttention, match=r"prod/2026-01-09 leads by a link out of file:.*/cams/prod, .*: put the images there"
    ):
        ingest_day(store.day(OTHER), MODEL)


def test_a_folder_of_a_camera_that_is_a_link_is_not_left_out_without_a_word(own, tmp_path):
    cams, away = tmp_path / "cams", tmp_path / "away"
    for folder, seed in ((cams / "door-1/2026-01-08", 1), (away / "2026-01-08", 2)):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_bytes(photo(seed))
    (cams / "newest").symlink_to("door-1")  # to another camera, whose images count by its name
    (cams / "gone").symlink_to(tmp_path / "nothing")
    (cams / "empty").symlink_to(tmp_path)  # has no folder of the day
    for paths in (["*/{day}"], ["door-1/{day}", "door-2/{day}"]):
        store = store_of(own, {"paths": [f"file://{cams}/{path}" for path in paths]})
        assert ingest_day(store.day(DAY), MODEL).listed == 1
        (cams / "door-2").symlink_to(away)
        with pytest.raises(
            NeedsAttention, match=r"cams/door-2/2026-01-08 leads by a link out of file:.*/cams, .*mount"
        ):
            ingest_day(store.day(DAY), MODEL)
        (cams / "door-2").unlink()
    (cams / "door-2").symlink_to(away)
    alone = store_of(own, {"paths": f"file://{cams}/door-2/{{day}}"})
    assert ingest_day(alone.day(DAY), MODEL).accepted == 1


def test_a_link_to_another_folder_of_the_day_makes_no_image_of_it_twice(own, tmp_path):
    """It came first, by its name, and the image was in another segment than its own folder says."""
    cams = tmp_path / "cams"
    for folder, seed in (("door-1", 1), ("site/door-2", 2)):
        (cams / folder / "2026-01-08").mkdir(parents=True)
        (cams / folder / "2026-01-08/a.jpg").write_bytes(photo(seed))
    for name in ("alias", "other"):
        (cams / name).symlink_to("site/door-2")
    root = f"file://{cams}"
    for paths, names in (
        (["*/{day}", "site/*/{day}"], ["door-1", "site/door-2"]),
        (["*/{day}"], ["alias", "door-1"]),  # nothing else leads there
    ):
        store = store_of(own, {"paths": [f"{root}/{path}" for path in paths]})
        listed = [item.key for item in list_day(store.day(DAY))]
        assert listed == [f"{root}/{name}/2026-01-08/a.jpg" for name in names]


def test_a_link_to_what_is_ignored_stops_no_day(own, tmp_path):
    cams, away = tmp_path / "cams", tmp_path / "away"
    for folder, seed in ((cams / "door-1/2026-01-08", 1), (away / "2026-01-08", 2)):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_bytes(photo(seed))
    (cams / ".backup").symlink_to(away)
    found = ingest_day(store_of(own, {"paths": f"file://{cams}/*/{{day}}"}).day(DAY), MODEL)
    assert (found.accepted, found.ignored) == (1, 1)
