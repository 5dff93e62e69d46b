"""The random order of a day's images, and which of them are shown."""

from __future__ import annotations

import pytest

from driftwatch.errors import ChangedImage
from driftwatch.images import judged
from driftwatch.labels import sample as sampling
from driftwatch.labels.sample import ManyAccepted, accepted_images, accepted_of_any_day, first_in_order, seeded_order

from .planning import of_day


def test_the_order_depends_on_salt_and_ids_alone():
    ids = [f"i{number}" for number in range(50)]
    assert seeded_order(ids, 1, "d") == seeded_order(reversed(ids), 1, "d")
    assert seeded_order(ids, 1, "d") != seeded_order(ids, 2, "d")


def test_images_that_cannot_be_shown_are_left_out_and_others_take_their_place(storage, monitor, caplog):
    day = of_day(storage, monitor)
    accepted = accepted_images(day)
    assert (len(accepted.keys), accepted.keys["id000"]) == (100, "in/0.jpg")
    whole = accepted.draw(0, 40, None)
    gone = whole.images[3].image_id
    found = accepted.draw(0, 40, lambda image_id, key: image_id != gone)
    assert [image.image_id for image in found.changed] == [gone]
    assert len({image.image_id for image in found.images} - {image.image_id for image in whole.images}) == 1
    assert found.images == tuple(sorted(found.images, key=lambda image: image.image_id))
    whole.tell_changed(day)
    assert caplog.text == ""
    found.tell_changed(day)
    assert "1 images are left out of the sample" in caplog.text


def test_a_day_none_of_whose_images_can_be_shown_is_refused(storage, monitor):
    day = of_day(storage, monitor)
    with pytest.raises(ChangedImage, match=r"none of 100 images can be shown.*clear ingest_images"):
        accepted_images(day).draw(0, 40, lambda image_id, key: False).tell_changed(day)


def test_a_draw_of_more_images_than_there_are_takes_all(storage, monitor):
    assert len(accepted_images(of_day(storage, monitor)).draw(0, 1000, None).images) == 100


def test_the_first_in_order_are_those_of_the_whole_order():
    ids = [f"i{number}" for number in range(50)]
    for most in (0, 1, 20, 50, 60):
        assert first_in_order(iter(ids), most, 1, "d") == seeded_order(ids, 1, "d")[:most]


@pytest.mark.parametrize("refused", [0, 1, 60, 100])
def test_a_large_day_has_the_same_draw_and_no_table_of_all_images_is_read_whole(storage, monitor, monkeypatch, refused):
    day = of_day(storage, monitor)
    monkeypatch.setattr(sampling, "_SPARE", 5)
    whole = accepted_images(day)
    assert accepted_of_any_day(day) == whole
    order = seeded_order(whole.keys, 3, day.config.name, day.date)
    can_show = lambda image_id, key: image_id not in order[:refused]  # noqa: E731
    expected = whole.draw(3, 20, can_show), whole.among(["id000", "id007", "none"])
    monkeypatch.setattr(sampling, "is_sampled", lambda day: True)
    monkeypatch.setattr(judged, "is_sampled", lambda day: True)
    storage.write_table(day.keys.judged, storage.read_table(day.keys.manifest).head(3))
    read = type(storage).read_bytes

    def of(self, key: str) -> bytes:
        assert key != day.keys.manifest
        return read(self, key)

    monkeypatch.setattr(type(storage), "read_bytes", of)
    large = accepted_of_any_day(day)
    assert isinstance(large, ManyAccepted)
    assert (large.draw(3, 20, can_show), large.among(["id000", "id007", "none"])) == expected
