"""Finds and reads monitor files. A bad one is refused: the message has the file's name, and each bad field with its line and what is
allowed there. Whatever is wrong with one file, the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from driftwatch.config import MonitorConfig
from driftwatch.config.execution import FOR_ALL, ExecutionConfig
from driftwatch.config.refusals import refused_settings, shown
from driftwatch.config.yaml_file import UnreadableFile, YamlFile
from driftwatch.errors import ConfigError

MONITORS_VARIABLE = "DRIFTWATCH_MONITORS"


def monitors_folder() -> Path:
    """The folder of monitor files: $DRIFTWATCH_MONITORS, else include/monitors beside this package."""
    configured = os.environ.get(MONITORS_VARIABLE)
    return Path(configured) if configured else Path(__file__).resolve().parents[2] / "monitors"


def monitor_files(folder: Path | None = None) -> list[Path]:
    """Every monitor file, sorted by name. Hidden files, such as an editor's locks, do not count, and what all monitors share neither."""
    folder = folder or monitors_folder()
    found = sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern))
    return [path for path in found if not path.name.startswith((".", "#", "~")) and path.name != FOR_ALL]


def load_monitors(
    folder: Path | None = None, load: Callable[[Path], MonitorConfig | ConfigError] | None = None
) -> list[tuple[Path, MonitorConfig | ConfigError]]:
    """Every monitor file with its monitor, or with the error for which it is refused. If two have the same name, the first one counts.

    `load` reads one file, by default `load_or_refuse`.
    """
    found: list[tuple[Path, MonitorConfig | ConfigError]] = []
    first: dict[str, Path] = {}
    for path in monitor_files(folder):
        monitor = (load or load_or_refuse)(path)
        if isinstance(monitor, MonitorConfig):
            holder = first.setdefault(monitor.name, path)
            if holder != path:
                monitor = ConfigError(
                    f"{shown(path)}: name {monitor.name!r} is that of {shown(holder.name)} already: each monitor needs a name of "
                    "its own, since DAGs and storage folders go by it"
                )
        found.append((path, monitor))
    return found


def load_or_refuse(path: Path) -> MonitorConfig | ConfigError:
    """The file's monitor, or the error for which it is refused."""
    try:
        return load_monitor(path)
    except ConfigError as error:
        return error


def load_monitor(path: Path | str) -> MonitorConfig:
    """Reads one monitor file; raises ConfigError, and nothing else, with the file, each bad field, and what is allowed there."""
    path = Path(path)
    try:
        return _load(path)
    except ConfigError:
        raise
    except FileNotFoundError as error:
        there = path.is_symlink()
        why = f"it links to {shown(os.readlink(path))}, which is not there" if there else "no such monitor file"
        raise ConfigError(f"{shown(path)}: {why}") from error
    except (UnreadableFile, OSError) as error:
        why = str(error) if isinstance(error, UnreadableFile) else str(error.strerror)
        raise ConfigError(f"{shown(path)}: cannot be read as YAML: {why}") from error
    except Exception as error:  # one file's mistake, of whatever kind, must not take the others down
        raise ConfigError(f"{shown(path)}: cannot be read: {type(error).__name__}: {str(error)[:300]}") from error


def able_to_tell(path: Path) -> MonitorConfig | None:
    """By which name, storage and notifiers people are told of a refused file: its own, if these alone are sound. Else None.

    Everything else of this monitor is made up.
    """
    try:
        found = YamlFile(path).value
        known = {name: found[name] for name in ("name", "storage", "notifiers") if name in found}
        return MonitorConfig.model_validate({"classes": ["a", "b"], "schedule": {"start_date": "2000-01-01"}, **known})
    except Exception:  # the file's refusal has said already what is wrong with it
        return None


def monitor_named(name: str) -> MonitorConfig:
    """The monitor of that name among all files. Raises ConfigError where there is none, or its file is refused."""
    found = {each.name: each for _, each in load_monitors() if isinstance(each, MonitorConfig)}
    if name not in found:
        raise ConfigError(
            f"there is no monitor {name!r}, or its file was refused; there are {', '.join(found) or 'none'}. Name one of them"
        )
    return found[name]


def _load(path: Path) -> MonitorConfig:
    file = YamlFile(path)
    if not isinstance(file.value, dict):
        raise ConfigError(
            f"{shown(path)}: must hold a mapping of settings (name, classes, schedule, …), not {type(file.value).__name__}"
        )
    # Keys like `x-defaults` hold what the file's own anchors and aliases share.
    settings = {key: value for key, value in file.value.items() if not key.startswith("x-")}
    try:
        return _with_shared(path, MonitorConfig.model_validate(settings))
    except ValidationError as error:
        raise ConfigError(f"{shown(path)}: {refused_settings(MonitorConfig, file, error)}") from None


def _with_shared(path: Path, monitor: MonitorConfig) -> MonitorConfig:
    """The monitor with what the file FOR_ALL beside it says of the execution, where its own file says nothing."""
    shared = path.with_name(FOR_ALL)
    if not shared.exists():
        return monitor
    try:
        file = YamlFile(shared)
    except (UnreadableFile, OSError) as error:
        raise ConfigError(
            f"{shown(path)}: {shown(shared)}, which is for all monitors, cannot be read: {error}"
        ) from error
    try:
        execution = monitor.execution.over(ExecutionConfig.model_validate(file.value or {}))
    except ValidationError as error:
        raise ConfigError(f"{shown(path)}: {shown(shared)}: {refused_settings(ExecutionConfig, file, error)}") from None
    try:
        monitor.refuse_short_run(execution)
    except ValueError as error:
        raise ConfigError(f"{shown(path)}, by {shown(shared)}: {error}") from None
    return monitor.model_copy(update={"execution": execution})
