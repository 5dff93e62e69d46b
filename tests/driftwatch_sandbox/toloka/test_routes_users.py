"""Restrictions and skills of the stand-in's workers, through toloka-kit's own client."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
import toloka.client as toloka
from toloka.client import exceptions


def test_a_restricted_worker_is_listed_until_the_restriction_is_taken_back(market):
    project = market.project()
    restriction = market.kit.set_user_restriction(
        toloka.user_restriction.ProjectUserRestriction(user_id="ann", project_id=project.id, private_comment="spam")
    )
    again = market.kit.set_user_restriction(
        toloka.user_restriction.ProjectUserRestriction(user_id="ann", project_id=project.id, private_comment="worse")
    )
    assert again.id == restriction.id
    found = list(market.kit.get_user_restrictions(user_id="ann", project_id=project.id))
    assert [item.private_comment for item in found] == ["worse"]
    market.kit.delete_user_restriction(restriction.id)
    assert list(market.kit.get_user_restrictions(user_id="ann", project_id=project.id)) == []
    with pytest.raises(exceptions.DoesNotExistApiError):
        market.kit.delete_user_restriction(restriction.id)


def test_a_workers_skill_is_set_and_set_again(market):
    skill = market.kit.create_skill(name=f"skill {uuid4()}")
    market.kit.set_user_skill(skill_id=skill.id, user_id="ann", value=Decimal("71.6"))
    held = market.kit.set_user_skill(skill_id=skill.id, user_id="ann", value=Decimal("80"))
    assert (held.value, held.exact_value) == (80, Decimal("80.0"))
    assert [s.id for s in market.kit.get_user_skills(skill_id=skill.id)] == [held.id]
    market.kit.delete_user_skill(held.id)
    assert list(market.kit.get_user_skills(skill_id=skill.id)) == []
