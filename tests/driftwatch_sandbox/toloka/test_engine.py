"""What the stand-in does by itself: pools that are over close."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from .tasks import URLS


def test_a_pool_with_all_its_answers_closes_as_completed(market, answered):
    assert market.closed(answered.id).last_close_reason.value == "COMPLETED"


def test_a_pool_past_its_expiry_closes_as_expired(market):
    pool = market.pool(will_expire=datetime.now(timezone.utc) + timedelta(seconds=1))
    market.upload(pool.id, URLS[:1])
    market.open(pool.id)
    assert market.closed(pool.id, seconds=5).last_close_reason.value == "EXPIRED"
    assert market.http.post(f"/api/v1/pools/{pool.id}/open").json()["code"] == "VALIDATION_ERROR"
