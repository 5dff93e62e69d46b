"""Logins: a session ends by itself, what is kept cannot be used, and guessing comes to a halt."""

from __future__ import annotations

import pytest

from driftwatch_servers.labelling.sessions import HOURS, Guesses, Sessions

from .memory import MemorySessions


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_ends_by_itself_and_the_store_holds_none_that_could_be_used(clock: Clock) -> None:
    store = MemorySessions()
    sessions = Sessions(store, clock)
    secret = sessions.open("ana")
    assert sessions.name(secret) == "ana"
    assert secret not in str(store.kept)
    clock.now += HOURS * 3600 - 1
    assert sessions.name(secret) == "ana"
    clock.now += 1
    assert sessions.name(secret) is None


def test_a_closed_session_is_nobodys_and_the_other_one_of_the_same_person_goes_on(clock: Clock) -> None:
    sessions = Sessions(MemorySessions(), clock)
    first, second = sessions.open("ana"), sessions.open("ana")
    sessions.close(first)
    assert sessions.name(first) is None
    assert sessions.name(second) == "ana"
    assert sessions.name("") is None


def test_other_addresses_are_heard_until_too_many_guess_and_everybody_after_the_minute(clock: Clock) -> None:
    guesses = Guesses(most=3, seconds=60, clock=clock)
    for _ in range(3):
        guesses.wrong("a")
    assert guesses.wait("a") == 60
    assert guesses.wait("b") == 0
    for number in range(27):
        guesses.wrong(f"many-{number}")
    assert guesses.wait("b") == 60
    clock.now += 61
    assert guesses.wait("a") == guesses.wait("b") == 0
    guesses.wrong("a")
    assert set(guesses._wrong) == {"a", ""}  # what is long past takes no memory
