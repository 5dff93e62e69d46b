"""Opens a monitor's storage by its Airflow connection. This is the only place that does, for tasks, pages and tools alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.addresses import split_address
from driftwatch.storage.elsewhere import Elsewhere
from driftwatch.storage.kinds import storage_kind
from driftwatch.storage.s3 import S3Login
from driftwatch_airflow.connections import connection_of, server_of

if TYPE_CHECKING:
    from airflow.sdk import Connection


def store_of(monitor: MonitorConfig) -> MonitorStore:
    """The monitor's storage, keys and file, and the connections of the team's own servers."""
    return MonitorStore(storage_of(monitor), monitor, server_of, images_elsewhere(monitor))


def images_elsewhere(monitor: MonitorConfig) -> Elsewhere:
    """Opens the storage of images that lie apart, each once: by the connection of `images.layout`, or, of a bucket that it led to before, by that
    of `images.earlier`."""
    layout, earlier = monitor.images.layout, monitor.images.earlier
    now = {split_address(path)[0] for path in layout.elsewhere} if layout else set()

    def opened(uri: str) -> Storage:
        if uri in earlier and uri not in now:
            return storage_at(uri, earlier[uri], f"images.earlier of {uri}")
        setting = "images.layout.connection" + ("" if uri in now else f" (images.earlier has no {uri})")
        return storage_at(uri, layout.connection if layout else None, setting)

    return cache(opened)


def storage_of(monitor: MonitorConfig) -> Storage:
    """The monitor's storage, opened with the login of its Airflow connection, if it names one."""
    return storage_at(monitor.storage.uri, monitor.storage.connection)


def log_storage(monitor: MonitorConfig, uri: str) -> Storage:
    """The storage at another address where production's log lies, with the log's own connection."""
    logged = monitor.model.logged
    return storage_at(uri, logged.connection if logged else None, "model.logged.connection")


def storage_at(uri: str, connection: str | None, needed_by: str = "storage.connection") -> Storage:
    """The storage at an address. `connection`: the Airflow connection that may read and write there; a folder needs none and takes none.
    `needed_by`: the setting that names it.

    Raises NeedsAttention if there is no such connection, or no Airflow provider that can open a storage of this kind with one.
    """
    kind = storage_kind(uri)
    if not connection or not kind.takes_login:
        return open_storage(uri)
    # The hooks take the machine's own login if there is no such connection.
    given = connection_of(connection, needed_by)
    wanted = CONNECTION_TYPES.get(kind.scheme, given.conn_type)
    if given.conn_type not in (wanted, *_OF_ANY_SERVICE.get(kind.scheme, _PLAIN)):  # its login is for another service
        raise NeedsAttention(
            f"{needed_by} names the Airflow connection {connection} of type {given.conn_type}, and {kind.scheme}:// takes one of type {wanted}: name "
            "another one, or change its type under Admin > Connections"
        )
    unread, instead = _NOT_READ.get(kind.scheme, ((), ""))
    found = [name for name in unread if given.extra_dejson.get(name)]
    if found and not (kind.scheme == "az" and _has_azure_login(given)):  # without it, another login would be taken
        raise NeedsAttention(
            f"{needed_by} names the Airflow connection {connection}, whose extra has {found[0]}, which Driftwatch does not read: {instead}"
        )
    if login := _LOGINS.get(kind.scheme):
        return open_storage(uri, login(given))
    from airflow.sdk.io import get_fs, has_fs

    if not has_fs(kind.scheme):
        raise NeedsAttention(
            f"{needed_by} names the Airflow connection {connection}, but no installed Airflow provider opens {kind.scheme}:// with one: "
            f"install the provider, or take {needed_by} out so that the machine's own login is used"
        )
    return open_storage(uri, get_fs(kind.scheme, connection))


def _of_aws(connection: Connection) -> S3Login:
    """The provider's own reading of a connection of type aws: keys, roles, profiles, regions, servers."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    hook = S3Hook(aws_conn_id=connection.conn_id)
    endpoint = hook.conn_config.get_service_endpoint_url("s3")
    return S3Login(hook.get_session(hook.region_name), endpoint, hook.verify, hook.config)


def _of_google(connection: Connection) -> dict[str, Any]:
    """A service account: its key in `keyfile_dict`, or its file in `key_path`. Neither: the machine's own role."""
    extra = connection.extra_dejson
    if key := extra.get("keyfile_dict"):
        return {"service_account_key": key if isinstance(key, str) else json.dumps(key)}
    return {"application_credentials": path} if (path := extra.get("key_path")) else {}


def _of_azure(connection: Connection) -> dict[str, Any]:
    """The account by its name, with a key, a SAS token or an application. A host that is not Azure's is another server's address."""
    extra, host = connection.extra_dejson, connection.host or ""
    found: dict[str, Any] = {}
    if "://" in host and ".blob.core." not in host:
        found |= {"endpoint": host, "client_options": {"allow_http": host.startswith("http://")}}
    if tenant := extra.get("tenant_id"):
        account = host.rpartition("://")[2].partition(".")[0]
        found |= {"account_name": account, "tenant_id": tenant}
        found |= {"client_id": connection.login, "client_secret": connection.password}
    else:
        found |= {
            "account_name": connection.login,
            "account_key": connection.password,
            "sas_key": extra.get("sas_token"),
        }
    return {setting: value for setting, value in found.items() if value}


def _has_azure_login(connection: Connection) -> bool:
    """Whether it has all of a login that is read. What else stands there is for others, and takes nothing from it."""
    return bool(connection.login and (connection.password or connection.extra_dejson.get("sas_token")))


_LOGINS: dict[str, Callable[[Connection], Any]] = {"s3": _of_aws, "gs": _of_google, "az": _of_azure}
# The type of a connection for a storage, by its scheme.
CONNECTION_TYPES = {"s3": "aws", "gs": "google_cloud_platform", "az": "wasb"}
# Types that name no service, as of a connection in the environment that says none; `s3` is an older name of aws.
_PLAIN: tuple[str | None, ...] = (None, "", "generic")
_OF_ANY_SERVICE = {"s3": (*_PLAIN, "s3")}
# Ways to log in that the providers' hooks know and `_LOGINS` does not, and what to give instead.
_NOT_READ = {
    "gs": (
        ("key_secret_name", "credential_config_file", "impersonation_chain", "is_anonymous"),
        "give the key of a service account in keyfile_dict or key_path, or name no connection, so that the machine's own role is taken",
    ),
    "az": (
        (
            "connection_string",
            "shared_access_key",
            "client_secret_auth_config",
            "managed_identity_client_id",
            "workload_identity_tenant_id",
        ),
        "give the account as login and its key as password, or sas_token, or an application with tenant_id; or name no connection, so that the "
        "machine's own role is taken",
    ),
}
