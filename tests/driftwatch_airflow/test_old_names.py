"""Names that were changed are still given, others are not."""

from __future__ import annotations

from importlib import import_module

import pytest

from driftwatch_airflow import old_names as module


def test_an_old_name_warns_where_it_is_used_and_an_unknown_one_is_missing_as_in_any_module():
    give = module.old_names(module.__name__, {"names_of_old": "old_names"})
    with pytest.warns(
        DeprecationWarning, match=r"driftwatch_airflow\.old_names\.names_of_old is now called old_names"
    ) as said:
        assert give("names_of_old") is module.old_names
    assert said[0].filename == __file__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        give("nothing")


# Where version 0.1 had what is in a module of its own now; a team's own DAG files may name it there.
MOVED = {
    "annotation": {"performance": ["EvaluatePerformanceOperator"]},
    "features": {
        "ingest": ["IngestImagesOperator", "IngestShardOperator", "MergeShardsOperator"],
        "predictions": ["PredictLabelsOperator", "PredictShardOperator"],
        "shards": ["SHARD_NAME", "ShardOperator"],
    },
    "retraining": {
        "promotion": [
            "ApprovePromotionOperator",
            "GateOperator",
            "PromoteModelOperator",
            "RefreshReferenceOperator",
            "RollBackOperator",
        ],
        "retraining": ["run_key"],
    },
}


@pytest.mark.parametrize("old", MOVED)
def test_an_operator_that_has_moved_is_still_found_where_version_0_1_had_it(old):
    before = import_module(f"driftwatch_airflow.operators.{old}")
    for new, names in MOVED[old].items():
        now = import_module(f"driftwatch_airflow.operators.{new}")
        for name in names:
            with pytest.warns(DeprecationWarning, match=rf"operators\.{old}\.{name} is now called driftwatch"):
                found = getattr(before, name)
            if new != old:
                assert found is getattr(now, name)
