"""What Label Studio's API refuses, and tokens that end: each is told by what to do."""

from __future__ import annotations

import dataclasses
import json
import time

import jwt
import pytest
from tests.driftwatch.artifacts import samples
from tests.label_studio_server.running import SECRET_KEY

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.http import ServiceError
from driftwatch.labels.backends.label_studio.backend import LabelStudioBackend
from driftwatch.labels.backends.label_studio.project import new_project

from ..label_studio_service import site_of


def test_a_personal_token_whose_access_token_expires_in_the_middle_goes_on(new_day):
    day = new_day()
    site = site_of(day.server, day.server.personal_token)
    made = LabelStudioBackend(lambda: site.access("label_studio_default", "token"))
    assert made.api.personal
    day.site = dataclasses.replace(site)
    assert made.api.person().email == "owner@example.org"
    auth = made.api._http.auth
    claims = jwt.decode(auth._access, options={"verify_signature": False})
    auth._access = jwt.encode({**claims, "exp": int(time.time()) - 60}, SECRET_KEY, "HS256")
    expired = auth._access
    assert made.api.person().email == "owner@example.org"
    assert auth._access != expired
    assert day.create().state == "opened"  # with a client of its own


def test_a_personal_token_that_was_revoked_is_refused_and_not_shown(new_day):
    day = new_day()
    day.site = site_of(day.server, "aaaa.bbbb.cccc")
    with pytest.raises(NeedsAttention, match=r"refused the login.*Admin > Connections") as refused:
        day.create()
    assert "aaaa" not in str(refused.value)
    assert day.server.projects() == []


def test_what_is_found_wrong_names_the_field_and_is_final(new_day):
    day = new_day()
    with pytest.raises(DriftwatchError, match=r"label_config") as wrong:
        day.backend.api.create_project({"title": "cats", "label_config": "<View>"})
    assert isinstance(day.backend.refusal(wrong.value), NeedsAttention)


def test_a_hundred_classes_and_odd_names_are_taken_as_they_are(new_day):
    day = new_day()
    classes = ('say "cat"', "dog & <wolf>", *(f"class {number}" for number in range(98)))
    config = day.store.config.model_copy(update={"classes": classes})
    plan = AnnotationPlan.model_validate_json(json.dumps({**samples.PLAN, "project_id": None, "pool_id": None}))
    api = LabelStudioBackend(lambda: day.site.access("c", "token")).api
    made = api.create_project(new_project(config, plan))
    assert api.project(str(made)).choices == {*classes, "unclear"}


def test_an_address_that_is_not_label_studios_is_told(new_day):
    day = new_day()
    day.site = site_of(day.server, url=f"{day.server.url}/elsewhere")
    with pytest.raises(ServiceError, match=r"elsewhere|Label Studio"):
        day.create()
