"""How often a request was sent, in words, and which failures repeating cannot help."""

from __future__ import annotations

import pytest

from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.http.errors import CannotBeSent, NoAnswer, ServiceRefusedAccess, ServiceRefusedRequest, tried


@pytest.mark.parametrize(("times", "said"), [(1, "tried once"), (2, "tried 2 times")])
def test_how_often_a_request_was_sent_is_said_in_words(times, said):
    assert tried(times) == said


def test_a_refusal_needs_somebody_and_a_silence_may_pass():
    assert issubclass(ServiceRefusedAccess, AccessRefused)
    assert issubclass(ServiceRefusedRequest, RequestRefused)
    assert issubclass(CannotBeSent, RequestRefused)
    assert not issubclass(NoAnswer, NeedsAttention)
