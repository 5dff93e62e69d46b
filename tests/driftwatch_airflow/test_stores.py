"""The one place that opens a storage for tasks, pages and tools."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint

import pytest

from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.config.layout import LayoutConfig
from driftwatch.errors import NeedsAttention
from driftwatch.storage import open_storage
from driftwatch.storage.file import FileStorage
from driftwatch.storage.kinds import SEAM
from driftwatch.storage.s3 import S3Storage
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.stores import log_storage, storage_at, store_of

from ..driftwatch.s3 import login_at, make_bucket
from ..faulty_s3 import serving
from ..installed import installed


class Tape(S3Storage):
    """A kind of object store that another package adds, and that no Airflow provider knows."""

    scheme = "tape"
    example = "tape://rack/prefix"


def test_a_storage_connection_that_does_not_exist_is_no_reason_for_other_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "else")
    with pytest.raises(NeedsAttention, match=r"'gone', which storage\.connection names"):
        storage_at("s3://bucket/prefix", "gone")


def test_the_connections_login_opens_the_storage_and_what_others_write_is_listed_at_once(monkeypatch):
    with serving() as (_, address):
        make_bucket(login_at(address), "of-this-login")
        login = {"conn_type": "aws", "login": "of-the-connection", "password": "secret"}
        monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({**login, "extra": {"endpoint_url": address}}))
        ours, others = (storage_at("s3://of-this-login/prefix", "ours") for _ in range(2))
        ours.write_bytes("m/a", b"a")
        assert [item.key for item in ours.list("m")] == ["m/a"]
        others.write_bytes("m/b", b"b")
        assert [item.key for item in ours.list("m")] == ["m/a", "m/b"]
        assert "of-the-connection" in ours.presigned_url("m/a", 60)


def test_images_elsewhere_are_opened_with_a_connection_of_their_own(monitor, monkeypatch):
    """Artifacts stay where they are; each bucket is opened once, however many images are read."""
    layout = LayoutConfig.model_validate({"paths": "s3://cams/{day}", "connection": "theirs"})
    apart = monitor.model_copy(update={"images": monitor.images.model_copy(update={"layout": layout})})
    store = store_of(apart)
    assert type(store.storage) is FileStorage
    with pytest.raises(NeedsAttention, match=r"'theirs', which images\.layout\.connection names"):
        store.elsewhere("s3://cams")
    with serving() as (_, address):
        make_bucket(login_at(address), "cams")
        login = {"conn_type": "aws", "login": "of-the-team", "password": "secret", "extra": {"endpoint_url": address}}
        monkeypatch.setenv("AIRFLOW_CONN_THEIRS", json.dumps(login))
        opened = store.elsewhere("s3://cams")
        opened.reach()
        assert "of-the-team" in opened.presigned_url("a", 60)
        assert store.elsewhere("s3://cams") is opened


@pytest.mark.parametrize(
    ("uri", "kind", "wanted"),
    [("az://c/x", "aws", "wasb"), ("s3://b/x", "wasb", "aws"), ("gs://b/x", "http", "google_cloud_platform")],
)
def test_a_login_is_never_sent_to_another_service_than_it_is_for(monkeypatch, uri, kind, wanted):
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({"conn_type": kind, "login": "who", "password": "secret"}))
    said = rf"images\.layout\.connection names the Airflow connection ours of type {kind}, and {uri[:2]}:// takes one of type {wanted}"
    with pytest.raises(NeedsAttention, match=said):
        storage_at(uri, "ours", "images.layout.connection")


@pytest.mark.parametrize(
    ("uri", "given"),
    [
        ("s3://b/x", {}),
        ("s3://b/x", {"conn_type": "generic"}),
        ("s3://b/x", {"conn_type": "s3"}),
        ("az://c/x", {}),
        ("az://c/x", {"conn_type": "wasb", "extra": {"connection_string": "AccountName=other"}}),
        ("az://c/x", {"conn_type": "wasb", "extra": {"managed_identity_client_id": "id"}}),
    ],
)
def test_a_connection_by_which_monitors_have_run_opens_its_storage_still(monkeypatch, uri, given):
    """One in the environment may say no type; one that others use too may have more than is read."""
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({"login": "who", "password": "c2VjcmV0", **given}))
    opened = storage_at(uri, "ours")._given
    if uri.startswith("az"):
        assert opened == {"account_name": "who", "account_key": "c2VjcmV0"}
    else:
        assert opened.session.get_credentials().access_key == "who"


def test_images_of_a_bucket_of_before_are_opened_with_the_connection_that_they_had(monitor, monkeypatch):
    """By the new place's login the pages of earlier days could not be read."""

    def store(**images):
        return store_of(monitor.model_copy(update={"images": ImagesConfig.model_validate(images)}))

    aws, azure = {"conn_type": "aws", "password": "secret"}, {"conn_type": "wasb", "login": "acc", "password": "AAAA"}
    for name, login in (
        ("now", azure),
        ("before", {**aws, "login": "of-before"}),
        ("other", {**aws, "login": "of-other"}),
    ):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(login))
    layout = {"paths": "az://cams/{day}", "connection": "now"}
    moved = store(
        layout=layout, earlier={"s3://old/": "before", "s3://older": "other", "s3://open": None, "az://cams": "gone"}
    )
    assert moved.elsewhere("az://cams")._given["account_name"] == "acc"
    for uri, login in (("s3://old", "of-before"), ("s3://older", "of-other")):
        assert moved.elsewhere(uri)._given.session.get_credentials().access_key == login
    assert moved.elsewhere("s3://open")._given is None
    with pytest.raises(
        NeedsAttention, match=r"images\.layout\.connection \(images\.earlier has no s3://forgotten\) names .* type wasb"
    ):
        moved.elsewhere("s3://forgotten")
    back = store(earlier={"s3://old": "before"})
    assert back.elsewhere("s3://old")._given.session.get_credentials().access_key == "of-before"
    with pytest.raises(NeedsAttention, match=r"'none', which images\.earlier of s3://old names"):
        store(earlier={"s3://old": "none"}).elsewhere("s3://old")


@pytest.mark.parametrize("place", ["s3://cams/prod", "cams", "file:///cams", "s3://", "gcs://cams"])
def test_what_is_no_bucket_is_refused_as_an_earlier_one(place):
    with pytest.raises(
        ValueError, match=r"a bucket or container by its address is allowed, such as s3://cams|allowed are a path below"
    ):
        ImagesConfig.model_validate({"earlier": {place: "conn"}})


@pytest.mark.parametrize(
    ("uri", "kind", "extra"),
    [
        ("gs://b/x", "google_cloud_platform", {"key_secret_name": "key"}),
        ("gs://b/x", "google_cloud_platform", {"impersonation_chain": "a@b.iam.gserviceaccount.com"}),
        ("az://c/x", "wasb", {"connection_string": "AccountName=a"}),
        ("az://c/x", "wasb", {"managed_identity_client_id": "id"}),
    ],
)
def test_a_way_to_log_in_that_is_not_read_is_no_reason_for_other_credentials(monkeypatch, uri, kind, extra):
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({"conn_type": kind, "extra": extra}))
    with pytest.raises(
        NeedsAttention, match=rf"ours, whose extra has {next(iter(extra))}, which Driftwatch does not read: give"
    ):
        storage_at(uri, "ours")
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({"conn_type": kind, "extra": dict.fromkeys(extra, "")}))
    assert storage_at(uri, "ours")._given == {}  # a form saves what is not filled in, too


def test_a_folder_has_no_login_and_needs_no_connection(tmp_path):
    """So that one monitor file serves a try on a laptop and production, by `${NAME:-default}` in its address."""
    assert type(storage_at(f"file://{tmp_path}", "gone")) is FileStorage


def test_a_kind_of_storage_that_no_provider_opens_is_refused_with_what_to_do(monkeypatch):
    installed(monkeypatch, EntryPoint("tape", f"{__name__}:Tape", SEAM.group))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Tape)
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps({"conn_type": "aws"}))
    with pytest.raises(
        NeedsAttention, match=r"no installed Airflow provider opens tape:// .*take storage\.connection out"
    ):
        storage_at("tape://rack/prefix", "ours")
    assert type(open_storage("tape://rack/prefix")) is Tape


def test_a_monitors_storage_and_keys_are_those_of_its_file(monitor, tmp_path):
    store = store_of(monitor)
    assert store.config is monitor
    store.storage.write_bytes(store.keys.champion, b"{}")
    assert (tmp_path / "cats_vs_dogs" / "models" / "champion.json").read_bytes() == b"{}"


def test_a_task_knows_its_keys_without_a_connection(monitor):
    on_s3 = monitor.storage.model_copy(update={"uri": "s3://bucket/prefix", "connection": "gone"})
    elsewhere = monitor.model_copy(update={"storage": on_s3})
    task = MonitorOperator(task_id="gate", monitor=elsewhere)
    assert task.monitor_keys.champion == "cats_vs_dogs/models/champion.json"
    with pytest.raises(NeedsAttention, match="'gone'"):
        store_of(elsewhere)


def test_a_log_at_another_address_is_read_by_its_own_connection(monitor, tmp_path):
    columns = {"key": "file", "prediction": "class"}
    section = {"path": "s3://lake/logs/{day}/*.csv", "connection": "gone", "columns": columns}
    settings = monitor.model_dump() | {"model": {"predictions": "logged", "logged": section}}
    elsewhere = MonitorConfig.model_validate(settings)
    with pytest.raises(NeedsAttention, match=r"'gone', which model\.logged\.connection names"):
        log_storage(elsewhere, "s3://lake")
    own = {**section, "connection": None}
    plain = MonitorConfig.model_validate(settings | {"model": {"predictions": "logged", "logged": own}})
    assert log_storage(plain, f"file://{tmp_path}").uri == f"file://{tmp_path}"


@pytest.mark.parametrize(
    ("uri", "connection", "settings"),
    [
        ("gs://b/x", {"conn_type": "google_cloud_platform", "extra": {"keyfile_dict": {"a": 1}}}, {"service_account_key": '{"a": 1}'}),
        ("gs://b/x", {"conn_type": "google_cloud_platform", "extra": {"key_path": "/k.json"}}, {"application_credentials": "/k.json"}),
        ("gs://b/x", {"conn_type": "google_cloud_platform"}, {}),
        ("az://c/x", {"conn_type": "wasb", "login": "acc", "password": "key"}, {"account_name": "acc", "account_key": "key"}),
        ("az://c/x", {"conn_type": "wasb", "login": "acc", "extra": {"sas_token": "sv=1"}}, {"account_name": "acc", "sas_key": "sv=1"}),
        (
            "az://c/x",
            {"conn_type": "wasb", "host": "https://acc.blob.core.windows.net", "login": "app", "password": "s", "extra": {"tenant_id": "t"}},
            {"account_name": "acc", "client_id": "app", "client_secret": "s", "tenant_id": "t"},
        ),
        (
            "az://c/x",
            {"conn_type": "wasb", "host": "http://127.0.0.1:1/acc", "login": "acc", "password": "key"},
            {"account_name": "acc", "account_key": "key", "endpoint": "http://127.0.0.1:1/acc", "client_options": {"allow_http": True}},
        ),
    ],
)  # fmt: skip
def test_a_connection_of_google_or_azure_opens_the_storage_without_a_provider(monkeypatch, uri, connection, settings):
    monkeypatch.setenv("AIRFLOW_CONN_OURS", json.dumps(connection))
    storage = storage_at(uri, "ours")
    assert storage._given == settings
