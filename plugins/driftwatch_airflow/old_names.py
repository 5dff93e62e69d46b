"""Old names, which can still be imported from their old places."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def old_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for `module`: asked for an old name it gives the thing by its new name, with a DeprecationWarning.

    :param renamed: new names by old ones. `<module>:<name>`: the thing is in another module now.
    """

    def give(name: str) -> Any:
        if name not in renamed:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = renamed[name]
        warnings.warn(
            f"{module}.{name} is now called {new.replace(':', '.')}: import that", DeprecationWarning, stacklevel=2
        )
        return pkgutil.resolve_name(new if ":" in new else f"{module}:{new}")

    return give
