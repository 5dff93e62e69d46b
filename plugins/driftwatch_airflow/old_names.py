"""Names that were changed, and can still be imported from where they were."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def old_names(module: str, renamed: Mapping[str, str]) -> Callable[[str], Any]:
    """A `__getattr__` for `module`: an old name gives what now has the new one, with a DeprecationWarning.

    :param renamed: new names by old ones; `<module>:<name>` for what is in another module now.
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
