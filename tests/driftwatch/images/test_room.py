"""The room for pictures in work is shared by all threads."""

from __future__ import annotations

import threading

from driftwatch.images.room import Room


def test_a_picture_that_needs_more_than_there_is_has_the_room_alone():
    room = Room(100)
    entered = threading.Event()
    with room.taking(1000):
        other = threading.Thread(target=lambda: room.taking(1).__enter__() or entered.set())
        other.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    other.join()
