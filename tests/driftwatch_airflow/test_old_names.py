"""Names that were changed are still given, others are not."""

from __future__ import annotations

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
