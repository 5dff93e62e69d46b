"""Finds and reads monitor files. A bad one is refused with the file's name, each bad field, and what is allowed there."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from driftwatch.config import MonitorConfig
from driftwatch.errors import ConfigError

MONITORS_VARIABLE = "DRIFTWATCH_MONITORS"


def monitors_folder() -> Path:
    """The folder of monitor files: $DRIFTWATCH_MONITORS, else include/monitors beside this package."""
    configured = os.environ.get(MONITORS_VARIABLE)
    return Path(configured) if configured else Path(__file__).resolve().parents[1] / "monitors"


def monitor_files(folder: Path | None = None) -> list[Path]:
    """Every monitor file, sorted by name."""
    folder = folder or monitors_folder()
    return sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.glob(pattern))


def load_monitor(path: Path | str) -> MonitorConfig:
    """Reads one monitor file; raises ConfigError with the file, each bad field, and what is allowed there."""
    import yaml

    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such monitor file") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{path}: must hold a mapping of settings (name, classes, schedule, …), not {type(raw).__name__}"
        )
    try:
        return MonitorConfig.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from None


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {field}: unknown key; check its spelling against docs/configuration.md")
        else:
            lines.append(
                f"  {field}: {problem['msg']}"
                + ("" if problem["type"] == "missing" else f" (got {problem['input']!r:.80})")
            )
    return f"{path}: {len(lines)} setting(s) refused:\n" + "\n".join(lines)
