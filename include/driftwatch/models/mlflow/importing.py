"""A model that is taken from an MLflow registry: `models:/name/version` or `models:/name@alias`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models.archive import MOST_BYTES
from driftwatch.models.mlflow.client import MlflowApi
from driftwatch.models.mlflow.mirror import api_of

_SCHEME = "models:/"
_ADDRESS = re.compile(r"models:/(?P<name>[^/:@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/:@]+))")
_TAKEN = (".onnx", ".keras", ".h5")
_FLAVOURS_FILE = "MLmodel"


@dataclass(frozen=True)
class _Version:
    """A version of a registered model, and where its files are."""

    address: str
    name: str
    number: str
    folder: str


@contextmanager
def model_at(store: MonitorStore, place: str) -> Iterator[str]:
    """The model's file: `place` itself, or a copy of what an MLflow registry has at `models:/name/version` or `models:/name@alias`. The
    copy is removed at the end. Raises NeedsAttention where there is no such model, or none that can be imported."""
    if not place.startswith(_SCHEME):
        yield place
        return
    api = api_of(store)
    found = _found(api, place)
    with tempfile.TemporaryDirectory(prefix="driftwatch-mlflow-") as folder:
        yield str(_downloaded(api, found, Path(folder)))


def _found(api: MlflowApi, address: str) -> _Version:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise NeedsAttention(f"{address} is no model of MLflow's: write models:/name/version or models:/name@alias")
    name, number = match["name"], match["version"]
    model = api.registered_model(name)
    if model is None:
        raise NeedsAttention(f"{address}: MLflow has no registered model {name!r} at the address in {api.access.name}")
    if number is None:
        number = model.aliases.get(match["alias"])
        if number is None:
            raise NeedsAttention(
                f"{address}: {name!r} has no alias {match['alias']!r} in MLflow; there are: {', '.join(sorted(model.aliases)) or 'none'}"
            )
    folder = api.files_of_version(name, number)
    if folder is None:
        raise NeedsAttention(f"{address}: {name!r} has no version {number} in MLflow")
    return _Version(f"{_SCHEME}{name}/{number}", name, number, folder)


def _downloaded(api: MlflowApi, version: _Version, folder: Path) -> Path:
    """The version's model as one file."""
    sizes = dict(api.files(version.folder))
    chosen = _chosen(api, version, sizes)
    beside = [path for path in sizes if PurePosixPath(path).parent == PurePosixPath(chosen).parent]
    wanted = beside if chosen.endswith(".onnx") else [chosen]  # weights may lie in another file beside an ONNX model
    if (whole := sum(sizes[path] for path in wanted)) > MOST_BYTES:
        raise NeedsAttention(f"{version.address} has {whole:,} bytes; at most {MOST_BYTES:,} are allowed")
    for path in wanted:
        (folder / PurePosixPath(path).name).write_bytes(api.download(version.folder, path))
    file = folder / PurePosixPath(chosen).name
    if file.suffix == ".onnx":
        _take_weights_in(file, version.address)
    name = re.sub(r"[^\w.-]", "_", version.name)
    return file.rename(folder / f"{name}-{version.number}{file.suffix}")


def _chosen(api: MlflowApi, version: _Version, sizes: dict[str, int]) -> str:
    """The one file of the version that can be imported."""
    models = sorted(path for path in sizes if path.lower().endswith(_TAKEN))
    if len(models) == 1:
        return models[0]
    by_hand = f"mlflow artifacts download --artifact-uri {version.address} --dst-path FOLDER"
    if models:
        raise NeedsAttention(
            f"{version.address} has more than one model: {', '.join(models)}. Fetch them by `{by_hand}`, and import the right one"
        )
    if any(path.endswith("saved_model.pb") for path in sizes):
        raise NeedsAttention(
            f"{version.address} is a SavedModel, a folder. Fetch it by `{by_hand}`, and import the folder that has saved_model.pb"
        )
    raise NeedsAttention(
        f"{version.address} has no .onnx, .keras or .h5 file{_flavours(api, version, sizes)}. What is loaded by running code from a file, "
        "such as a pickle, is never loaded here. Export the model to ONNX where it was made, log that by "
        "mlflow.onnx.log_model(onnx_model, name='model', registered_model_name=...), and import the new version"
    )


def _flavours(api: MlflowApi, version: _Version, sizes: dict[str, int]) -> str:
    """What the version says that it is, for the message; empty where it does not say."""
    import yaml

    if _FLAVOURS_FILE not in sizes:
        return ""
    try:
        found = yaml.safe_load(api.download(version.folder, _FLAVOURS_FILE))
        return f"; its flavours are {', '.join(sorted(found['flavors']))}"
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError):
        return f"; its {_FLAVOURS_FILE} cannot be read"


def _take_weights_in(file: Path, address: str) -> None:
    """MLflow keeps weights of an ONNX model in a file beside it. An imported model is one file."""
    import onnx
    from google.protobuf.message import DecodeError, EncodeError

    try:
        model = onnx.load(str(file), load_external_data=False)
        if any(tensor.external_data for tensor in model.graph.initializer):
            onnx.load_external_data_for_model(model, str(file.parent))
            file.write_bytes(model.SerializeToString())
    except (DecodeError, EncodeError, ValueError, OSError, onnx.checker.ValidationError) as error:
        raise NeedsAttention(
            f"{address}: {file.name} with the weights beside it is no whole ONNX model ({error})"
        ) from error
