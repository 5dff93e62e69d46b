"""The stored keys of images that lie in another place than the monitor's storage: such a key is the image's whole address.

So it says for ever where the image is, whatever the monitor file says later. All other keys are relative to the storage's root.
"""

from __future__ import annotations

import re

# No key begins so: it begins with the name of a monitor or of a folder, which has no colon.
_ADDRESS = re.compile(r"(?P<place>[a-z][a-z0-9+.-]*://(?:/?[^/]+))(?:/|$)")


def is_address(key: str) -> bool:
    return _ADDRESS.match(key) is not None


def split_address(key: str) -> tuple[str, str]:
    """The storage that an address lies in, such as `s3://bucket` or `file:///mnt`, and the key there. ("", key) for a key that is none."""
    found = _ADDRESS.match(key)
    return (found["place"], key[found.end() :]) if found else ("", key)


def without_scheme(key: str) -> str:
    """An address as it ends however it is reached, such as `bucket/folder`; any other key as it is."""
    return key.partition("://")[2].lstrip("/") if is_address(key) else key
