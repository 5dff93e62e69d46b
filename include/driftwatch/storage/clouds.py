"""Storage roots on Google Cloud Storage and on Azure Blob Storage."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from driftwatch.errors import StorageRefused
from driftwatch.seams import Extra
from driftwatch.storage.object_store import ObjectStore

_OPTIONS: Any = {
    "connect_timeout": timedelta(seconds=5),
    "read_timeout": timedelta(seconds=30),
    "timeout": timedelta(minutes=10),
}
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(minutes=1)}
_GOOGLE = {"application_credentials": "GOOGLE_APPLICATION_CREDENTIALS"}
_AZURE = {
    "account_name": "AZURE_STORAGE_ACCOUNT_NAME",
    "account_key": "AZURE_STORAGE_ACCOUNT_KEY",
    "sas_key": "AZURE_STORAGE_SAS_TOKEN",
    "client_id": "AZURE_CLIENT_ID",
    "client_secret": "AZURE_CLIENT_SECRET",
    "tenant_id": "AZURE_TENANT_ID",
}


class GoogleStorage(ObjectStore):
    """A login is settings of obstore's GCSStore; by default the file that GOOGLE_APPLICATION_CREDENTIALS names, else the machine's role."""

    scheme = "gs"
    example = "gs://bucket/prefix"
    extra = Extra("gcs", "obstore")
    version = "version"
    never = "1"
    lists_in_order = True

    def _opened(self) -> Any:
        from obstore.store import GCSStore

        return GCSStore(self._bucket, **_settings(self._given, _GOOGLE))


class AzureStorage(ObjectStore):
    """A login is settings of obstore's AzureStore; by default those of the variables AZURE_STORAGE_… and AZURE_…, else the machine's role."""

    scheme = "az"
    example = "az://container/prefix"
    extra = Extra("azure", "obstore")

    def _opened(self) -> Any:
        from obstore.store import AzureStore

        return AzureStore(self._bucket, **_settings(self._given, _AZURE))

    def presigned_url(self, key: str, seconds: int) -> str:
        path = self.path(key)
        if quote(path) != path:  # obstore signs the address as it is written, Azure checks what it means
            raise StorageRefused(
                f"{self.url(key)}: links on Azure need plain names, and this one has a sign that is written as %XX in an address: change "
                "storage.uri so that its prefix has plain letters"
            )
        return super().presigned_url(key, seconds)


def _settings(given: dict[str, Any] | None, variables: dict[str, str]) -> dict[str, Any]:
    if given is None:
        given = {setting: os.environ[name] for setting, name in variables.items() if os.environ.get(name)}
    return {"retry_config": _RETRIES, **given, "client_options": {**_OPTIONS, **given.get("client_options", {})}}
