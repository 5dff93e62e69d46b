"""A .keras file is checked before any part of it is loaded. A file says how large its parts are, and Keras reserves the memory before it
finds out whether they are there. So a file of a few megabytes can make it reserve gigabytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    import h5py

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
# The numbers of a trained model hardly shrink, and Keras does not compress them. A file that unpacks to far more than its size is no model.
_MOST_TIMES = 4
_ALWAYS_ALLOWED = 10_000_000  # text shrinks well
MOST_BYTES = 1_500_000_000  # a worker holds a model about three times while it loads it
_MOST_MEMBERS = 1_000  # Keras writes three, and one for each file that a layer brings along


class DamagedModel(NeedsAttention):
    """A stored model is not the one that was registered, or cannot be loaded safely."""


def check_archive(data: bytes, name: str) -> None:
    """Raises DamagedModel if this is no .keras file, or if it claims to hold more than it does: in its zip archive, in its HDF5
    weights, or in the sizes of its layers. It also refuses what Keras would not load in safe mode. `name` names the file in the error.

    Nothing is loaded: h5py reads only the headers of the weights, and under StatelessScope Keras makes variables without values.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_members(archive, len(data), name)
            weights, config = archive.read(WEIGHTS), json.loads(archive.read(CONFIG))
            stored = check_weights(weights, name)
    except (DamagedModel, MemoryError):
        raise
    except Exception as error:  # zip, zlib, JSON and HDF5 raise errors of many kinds
        raise DamagedModel(
            f"{name} is no whole .keras file, as model.save('model.keras') writes it: {error}"
        ) from error
    promised = _parameters(config, name)
    if promised > stored:
        raise DamagedModel(f"{name}: its layers have {promised:,} parameters, its weights file {stored:,}")


def check_weights(weights: bytes, name: str) -> int:
    """The number of values in an HDF5 file. Raises DamagedModel if it claims to hold more than it does, or takes values from elsewhere."""
    return sum(_checked_sizes(weights, name))


def _check_members(archive: zipfile.ZipFile, size: int, name: str) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(members) > _MOST_MEMBERS or len(set(names)) < len(names):
        raise DamagedModel(
            f"{name} holds {len(members):,} files, some perhaps twice; at most {_MOST_MEMBERS:,} are allowed"
        )
    missing = {CONFIG, WEIGHTS} - set(names)
    if missing:
        raise DamagedModel(
            f"{name} is no .keras file, as model.save('model.keras') writes it: it has no {' and no '.join(sorted(missing))}"
        )
    outside = [member for member in names if member.startswith("/") or "\\" in member or ".." in member.split("/")]
    if outside:
        raise DamagedModel(f"{name} holds a file named {outside[0]!r}, which would be unpacked elsewhere")
    _refuse_more_than(size, sum(member.file_size for member in members), "unpacks to", name)


def _checked_sizes(weights: bytes, name: str) -> Iterator[int]:
    """The number of values of each array. Raises where their sum is more than the file can hold."""
    import h5py

    promised = 0
    with h5py.File(io.BytesIO(weights), "r") as file:
        for array in _arrays(file, name, set()):
            promised += array.nbytes
            _refuse_more_than(len(weights), promised, f"has arrays in its {WEIGHTS} of", name)
            yield array.size


def _arrays(group: h5py.Group, name: str, seen: set[int], depth: int = 0) -> Iterator[h5py.Dataset]:
    """Every array below `group`. Refuses a link that leads out of the file, or to a group that was already `seen`: a few such links
    make more paths than one can ever follow."""
    import h5py

    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        raise DamagedModel(f"{name}: the group {group.name!r} in its {WEIGHTS} has two places")
    seen.add(address)
    if depth > 100:
        raise DamagedModel(f"{name}: the groups of its {WEIGHTS} are nested more than 100 deep")
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise DamagedModel(f"{name}: {key!r} in its {WEIGHTS} is a link")
        found = group[key]
        if isinstance(found, h5py.Group):
            yield from _arrays(found, name, seen, depth + 1)
        elif isinstance(found, h5py.Dataset):
            if found.external or found.is_virtual:
                raise DamagedModel(f"{name}: {key!r} in its {WEIGHTS} takes its values from another file")
            yield found


def _refuse_more_than(held: int, promised: int, what: str, name: str) -> None:
    allowed = min(MOST_BYTES, _MOST_TIMES * held + _ALWAYS_ALLOWED)
    if promised > allowed:
        raise DamagedModel(
            f"{name} {what} {promised:,} bytes, but holds {held:,}; at most {allowed:,} are allowed (four times what it holds and "
            "10 MB, and no more than 1.5 GB)"
        )


def _parameters(config: Any, name: str) -> int:
    """How many parameters the layers have. It is 0 if a layer makes its variables in its own way: then only loading can tell."""
    import keras

    try:
        with _without_values():
            return int(keras.saving.deserialize_keras_object(_bare(config), safe_mode=True).count_params())
    except Exception as error:  # each layer may raise errors of its own
        if "while in a stateless scope" in str(error):
            return 0
        raise DamagedModel(refused_by_keras(name, error)) from error


@contextmanager
def _without_values() -> Iterator[None]:
    """Keras makes variables without values inside, and forgets them afterwards. If it did not, it would make the values of all of them,
    those of a refused model too, at the end of its next scope of this kind."""
    import keras
    from keras.src.backend.common import global_state  # Keras has no public name for what waits for its values

    waiting = list(global_state.get_global_attribute("uninitialized_variables") or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute("uninitialized_variables", waiting)


def _bare(config: Any) -> Any:
    """The configuration without optimizers, whose variables cannot be made without values."""
    if isinstance(config, dict):
        return {key: _bare(value) for key, value in config.items() if key != "compile_config"}
    return [_bare(value) for value in config] if isinstance(config, list) else config


def refused_by_keras(name: str, error: Exception) -> str:
    import keras

    return f"{name} cannot be loaded by Keras {keras.__version__} in safe mode (no Lambda layers, no custom classes): {error}"
