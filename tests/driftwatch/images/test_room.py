"""The room for pictures in work is shared by all threads."""

from __future__ import annotations

import threading

from driftwatch.images.room import Room


def test_a_picture_that_needs_more_than_there_is_has_the_room_alone():
    room = Room(100)
    entered = threading.Event()
    taken = room.take(1000)
    other = threading.Thread(target=lambda: room.take(1) and entered.set())
    other.start()
    assert not entered.wait(0.05)
    room.give(taken)
    assert entered.wait(5)
    other.join()


def test_no_more_than_the_room_is_taken_by_many_threads():
    room, lock = Room(10), threading.Lock()
    inside, most = [], []

    def work(needed: int) -> None:
        for _ in range(200):
            taken = room.take(needed)
            with lock:
                inside.append(taken)
                most.append(sum(inside))
            with lock:
                inside.remove(taken)
            room.give(taken)

    threads = [threading.Thread(target=work, args=(needed,)) for needed in (1, 3, 4, 7, 10, 99)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert max(most) <= 10
