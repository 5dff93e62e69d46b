"""The stand-in's account: money is reserved, spent and released with the fee."""

from __future__ import annotations

from decimal import Decimal

from .tasks import URLS


def test_money_is_reserved_spent_and_released_with_the_fee(serve_market):
    market = serve_market(balance=10.0)
    pool = market.pool(auto_accept_solutions=False, reward_per_assignment=0.10)
    task = market.upload(pool.id, URLS[:1])[0]
    market.open(pool.id)
    ids = [market.answer(pool.id, user, {task.id: "cat"}).json()["id"] for user in ("ann", "bob", "cid")]
    assert market.state()["account"] == {"balance": 9.64, "reserved": 0.36, "spent": 0.0}
    market.kit.accept_assignment(ids[0], "yes")
    market.kit.reject_assignment(ids[1], "no")
    assert market.state()["account"] == {"balance": 9.76, "reserved": 0.12, "spent": 0.12}
    market.kit.accept_assignment(ids[1], "yes")
    assert market.state()["account"] == {"balance": 9.64, "reserved": 0.12, "spent": 0.24}
    assert market.kit.get_requester().balance == Decimal("9.64")


def test_a_pool_opens_only_when_the_balance_covers_a_page(serve_market):
    market = serve_market(balance=0.05)
    pool = market.pool(reward_per_assignment=0.05)
    market.upload(pool.id, URLS[:1])
    answer = market.http.post(f"/api/v1/pools/{pool.id}/open")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ENOUGH_BALANCE")
