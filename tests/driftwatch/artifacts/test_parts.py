"""Numbers and times come out as they went in."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import Number, Time


class _One(Part):
    number: Number


class _When(Part):
    time: Time


@pytest.mark.parametrize("text", ["0", "1", "1.0", "-0.0", "0.1", "1e-07", "1e+16", "12345678901234567890", "5e-324", "1.7976931348623157e+308"])  # fmt: skip
def test_a_number_is_written_as_it_was_read(text):
    found = _One.model_validate_json(f'{{"number": {text}}}')
    assert json.dumps(found.model_dump(mode="json")) == f'{{"number": {text}}}'


def test_any_float_is_read_to_its_last_bit():
    rng = random.Random(1)
    for _ in range(2000):
        text = json.dumps({"number": rng.uniform(-1, 1) * 10 ** rng.randint(-12, 12)})
        assert json.dumps(_One.model_validate_json(text).model_dump(mode="json")) == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "true", '"1"', "null", "[1]"])
def test_what_is_no_finite_number_is_refused(text):
    with pytest.raises(ValidationError, match="finite number"):
        _One.model_validate_json(f'{{"number": {text}}}')


@pytest.mark.parametrize("text", ["2026-01-06T04:00:00+00:00", "2026-07-06T04:00:59+02:00"])
def test_a_time_keeps_its_zone_and_its_seconds(text):
    found = _When.model_validate_json(json.dumps({"time": text}))
    assert found.time == datetime.fromisoformat(text)
    assert found.model_dump(mode="json") == {"time": text}


def test_a_time_is_written_to_the_second_and_must_have_a_zone():
    zone = timezone(timedelta(hours=2))
    assert _When(time=datetime(2026, 1, 6, 4, 0, 1, 999, zone)).model_dump(mode="json") == {
        "time": "2026-01-06T04:00:01+02:00"
    }
    with pytest.raises(ValidationError, match="timezone"):
        _When.model_validate_json('{"time": "2026-01-06T00:00:00"}')
