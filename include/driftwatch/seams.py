"""The kinds of a seam by name: those that are built in, and those that installed packages bring by an entry point."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from driftwatch.errors import ConfigError


@dataclass(frozen=True)
class Extra:
    """An extra of this package, by the name in pyproject.toml, and a module that is there if it is installed. `otherwise`: how to do without it,
    as the end of a sentence."""

    name: str
    module: str
    otherwise: str = "give the step a queue whose workers have it"

    @property
    def is_installed(self) -> bool:
        return find_spec(self.module) is not None

    def require(self, needed_by: str) -> None:
        """Raises ConfigError where the extra is not installed. Imports nothing."""
        if not self.is_installed:
            raise ConfigError(
                f"{needed_by} needs {self.module}, which is not installed here: pip install 'driftwatch[{self.name}]', or {self.otherwise}"
            )


@dataclass(frozen=True)
class Seam:
    """One seam. `what` is a kind in words, such as `sink`. `group` is the entry-point group. `built_in`: where each kind of the
    project's own stands, as `module:name`; they are found first, since reading the entry points of a hundred packages takes a while.
    `extras`: the extra of this package that a built-in kind needs."""

    what: str
    group: str
    built_in: Mapping[str, str]
    extras: Mapping[str, Extra] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Every name that may be asked for: the built-in ones first."""
        return list(dict.fromkeys([*self.built_in, *sorted(entry_points(group=self.group).names)]))

    def installed(self, name: str) -> Any:
        """What an installed package brings under the name, or None. Raises ConfigError where it cannot be loaded."""
        for found in entry_points(group=self.group, name=name):
            try:
                return found.load()
            except (ImportError, AttributeError) as error:
                raise ConfigError(
                    f"the entry point {found.value} of the {self.what} {name!r} cannot be loaded ({type(error).__name__}: {error}): "
                    "correct the package that brings it"
                ) from error
        return None

    def find(self, name: str) -> Any:
        """What stands behind the name. Raises ConfigError where nothing does, or it cannot be loaded."""
        if name in self.built_in:
            if name in self.extras:
                self.extras[name].require(f"the {self.what} {name!r}")
            return pkgutil.resolve_name(self.built_in[name])
        found = self.installed(name)
        if found is None:
            raise ConfigError(
                f"there is no {self.what} {name!r}; there are {', '.join(self.names())}. Choose one of them, or install the package that "
                f"has an entry point {name!r} in the group {self.group!r}"
            )
        return found
