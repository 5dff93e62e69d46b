"""What a monitor gives to other DAGs."""

from __future__ import annotations

from airflow.sdk.execution_time.context import OutletEventAccessors

from driftwatch_airflow.assets import champion_asset, handover_asset, labels_asset, reference_asset, tell_followers


def test_each_asset_of_each_monitor_is_one_of_its_own():
    made = [
        make(name)
        for name in ("cats", "dogs")
        for make in (labels_asset, champion_asset, reference_asset, handover_asset)
    ]
    assert len({asset.uri for asset in made}) == len({asset.name for asset in made}) == 8
    assert {asset.group for asset in made} == {"driftwatch"}


def test_followers_are_told_the_same_on_every_outlet():
    outlets, events = [labels_asset("cats"), champion_asset("cats")], OutletEventAccessors()
    tell_followers({"outlet_events": events}, outlets, day="2026-11-20", labels=7)
    assert [events[outlet].extra for outlet in outlets] == [{"day": "2026-11-20", "labels": 7}] * 2
