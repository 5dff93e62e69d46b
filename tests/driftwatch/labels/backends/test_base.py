"""Backends by name: the one that is built in, those that an installed package brings, and names that lead nowhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.config import LabelsConfig
from driftwatch.credentials import Access
from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.base import SEAM, LabelBackend, LabelSite, Pool, backend_of

from ...artifacts import samples

BACKEND = """
from driftwatch.labels.backends.toloka.backend import TolokaBackend


class OurDesk(TolokaBackend):
    name, title = "our_desk", "Our desk"


def our_desk(site):
    return OurDesk(lambda: site.access(site.connection, "token"))
"""
LABELS = LabelsConfig(backend="toloka", project_name="p", question="q", instructions="i")
SITE = LabelSite("desk_default", lambda connection, secret: Access(connection, "http://127.0.0.1:9", "a-token"))


def plan(found: dict[str, Any]) -> AnnotationPlan:
    return AnnotationPlan.model_validate_json(json.dumps(found))


@pytest.fixture
def package(tmp_path, monkeypatch) -> None:
    """An installed package with the entry points `our_desk`, and `broken`, whose function is not there."""
    info = tmp_path / "our_desk-1.0.dist-info"
    info.mkdir()
    (tmp_path / "our_desk.py").write_text(BACKEND)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-desk\nVersion: 1.0\n")
    entries = "[driftwatch.label_backends]\nour_desk = our_desk:our_desk\nbroken = our_desk:nothing\n"
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("name", SEAM.built_in)
def test_what_is_built_in_is_found_by_its_name(name):
    found = backend_of(name, SITE)
    assert isinstance(found, LabelBackend)
    assert found.name == name


def test_a_package_brings_a_backend(package):
    found = backend_of("our_desk", SITE)
    assert (found.name, found.title) == ("our_desk", "Our desk")
    assert found.page(plan(samples.PLAN)).startswith("http://127.0.0.1:9/")


def test_a_plan_without_a_pool_says_what_to_clear():
    with pytest.raises(NeedsAttention, match=r"has no pool yet: clear create_annotation_pool"):
        Pool.of(plan(samples.PLANNED), LABELS)
    made = plan(samples.PLAN)
    found = Pool.of(made, LABELS)
    assert found == Pool(made.pool_id, len(made.sample), made.overlap, 0.2, len(made.control))


def test_a_pool_of_a_desk_costs_hours_and_no_fee():
    labels = LabelsConfig(backend="desk", price_per_hour=18, project_name="p", question="q", instructions="i")
    assert (Pool.of(plan(samples.PLAN), labels).fee_share, Pool.of(plan(samples.PLAN), labels).price_per_hour) == (
        0,
        18,
    )
