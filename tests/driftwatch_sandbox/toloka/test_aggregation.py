"""The stand-in's aggregation of answers, through toloka-kit's own client."""

from __future__ import annotations

import toloka.client as toloka

from .tasks import URLS


def test_dawid_skene_trusts_the_workers_who_agree_with_the_others(market):
    pool = market.pool(overlap=3)
    created = market.upload(pool.id, URLS[:8])
    truth = {task.id: "cat" if index % 2 else "dog" for index, task in enumerate(created)}
    market.open(pool.id)
    for user in ("ann", "bob"):
        market.answer(pool.id, user, truth)
    market.answer(pool.id, "spam", dict.fromkeys(truth, "cat"))
    market.closed(pool.id)
    operation = market.kit.aggregate_solutions_by_pool(
        type="DAWID_SKENE",
        pool_id=pool.id,
        fields=[toloka.aggregation.PoolAggregatedSolutionRequest.Field(name="result")],
    )
    market.finished(operation).raise_on_fail()
    found = list(market.kit.get_aggregated_solutions(operation.id, batch_size=3))
    assert {item.task_id: item.output_values["result"] for item in found} == truth
    assert all(0.9 < item.confidence <= 1 for item in found)
