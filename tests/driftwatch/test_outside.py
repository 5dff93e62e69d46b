"""Who is told of what a process does outside, and for how long."""

from __future__ import annotations

import threading

import pytest

from driftwatch.outside import Watchers, touching, watching


def test_a_watcher_is_told_before_and_after_until_its_block_ends():
    seen: list[tuple[str, str]] = []
    with watching(lambda moment, what: seen.append((moment, what))), touching("storage write a"):
        seen.append(("effect", "a"))
    with touching("storage write b"):
        pass
    assert seen == [("before", "storage write a"), ("effect", "a"), ("after", "storage write a")]


def test_touches_of_every_thread_are_told():
    """A thread that was there before, and one that begins while somebody watches."""
    seen: list[str] = []
    go, waiting = threading.Event(), threading.Event()

    def touch(name: str) -> None:
        waiting.set()
        go.wait(10)
        with touching(name):
            pass

    threads = [threading.Thread(target=touch, args=("old",)), threading.Thread(target=touch, args=("new",))]
    threads[0].start()
    assert waiting.wait(10)
    with watching(lambda moment, what: seen.append(f"{moment} {what}")):
        threads[1].start()
        go.set()
        for thread in threads:
            thread.join(10)
    assert sorted(seen) == ["after new", "after old", "before new", "before old"]


def test_what_a_watcher_raises_ends_the_touch_and_nobody_watches_afterwards():
    watchers, done = Watchers(), []

    def dies(moment: str, what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), watchers.watching(dies), watchers.touching("x"):
        done.append("effect")
    assert done == []
    with watchers.touching("x"):
        done.append("effect")
    assert done == ["effect"]


def test_two_who_watch_are_both_told_and_end_on_their_own():
    watchers, seen = Watchers(), []

    def watch(moment: str, what: str) -> None:
        seen.append(what)

    with watchers.watching(watch):
        with watchers.watching(watch), watchers.touching("both"):
            pass
        with watchers.touching("one"):
            pass
    assert seen == ["both"] * 4 + ["one"] * 2
