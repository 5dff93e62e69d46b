"""Analytics of the stand-in's pools, through toloka-kit's own client."""

from __future__ import annotations

import toloka.client as toloka


def test_analytics_tell_how_far_a_pool_is_and_what_it_cost(market, answered):
    names = toloka.analytics_request
    first = next(iter(market.kit.get_assignments(pool_id=answered.id)))
    market.kit.accept_assignment(first.id, "yes")
    requests = [
        names.CompletionPercentagePoolAnalytics(subject_id=answered.id),
        names.SpentBudgetPoolAnalytics(subject_id=answered.id),
        names.SubmittedAssignmentsCountPoolAnalytics(subject_id=answered.id),
        names.ApprovedAssignmentsCountPoolAnalytics(subject_id=answered.id),
        names.RealTasksCountPoolAnalytics(subject_id=answered.id),
        names.UniqueSubmittersCountPoolAnalytics(subject_id=answered.id),
        names.AvgSubmitAssignmentMillisPoolAnalytics(subject_id=answered.id),
    ]
    results = [item["result"] for item in market.finished(market.kit.get_analytics(requests)).details["value"]]
    assert results[0]["value"] == 100
    assert [float(value) for value in results[1:]] == [0.05, 2, 1, 2, 2, 30_000]
