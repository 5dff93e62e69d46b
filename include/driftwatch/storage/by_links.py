"""Many objects read by one thread: libcurl follows links that were signed before.

obstore hands each object from thread to thread some nine times, which costs more than the object itself (decision 102). This is a quicker way
for what goes well, and no second client. An answer counts only if it is a 200 as long as its Content-Length says. All else is left to obstore,
which repeats the request or says what is wrong.
"""

from __future__ import annotations

import logging
import math
import os
import ssl
import sys
import time
from collections import deque
from collections.abc import Generator, Iterable
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import Any, NamedTuple

logger = logging.getLogger(__name__)
_TOGETHER = 0.002  # seconds
_BUFFER = 2**19  # bytes: most images come in one piece


class How(NamedTuple):
    """`limit`: the most bytes of an object. The most seconds: `connect` until there is a connection, `stalled` without a byte, `whole` for an
    object. `verify`: as boto3's; False, or a file of certificates."""

    limit: int
    connect: float
    stalled: float
    whole: float
    verify: bool | str | None = None


@cache
def library() -> Any:
    """pycurl; None where it is not installed or cannot be loaded.

    It is loaded with its own libraries first. TensorFlow has a libcurl and a BoringSSL in it, and shows them to all that is loaded later.
    """
    if find_spec("pycurl") is None:
        return None
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_LOCAL | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        import pycurl
    except ImportError as error:
        logger.warning("pycurl cannot be loaded (%s): obstore reads all, which takes more processor time", error)
        return None
    finally:
        sys.setdlopenflags(flags)
    return pycurl


def read(
    links: Iterable[tuple[str, str | None]], how: How, at_once: int
) -> Generator[tuple[str, bytes | None], None, None]:
    """Each key with the bytes that its link gives, in order. None without a link, and for any answer but a 200 of at most `limit` bytes, as
    many as its Content-Length says.

    At most `at_once` objects are under way or in memory beyond the caller's own. Close the generator where you do not use it up.
    """
    pycurl = library()
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, at_once)
    free = [_handle(how) for _ in range(at_once)]
    todo = iter(links)
    waiting: deque[_UnderWay] = deque()
    try:
        while True:
            while len(waiting) < at_once and (following := next(todo, None)) is not None:
                waiting.append(_begun(multi, *following, free))
            if not waiting:
                return
            while not waiting[0].is_done:
                multi.perform()
                for handle, whole in _ended(multi):
                    one, handle.under_way = handle.under_way, None
                    # Without a length a body that was cut short looks whole.
                    told = handle.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD)
                    one.end(whole and handle.getinfo(pycurl.RESPONSE_CODE) == 200 and told == one.body.tell())
                    multi.remove_handle(handle)
                    free.append(handle)
                if not waiting[0].is_done:
                    multi.select(1.0)
                    # So that several answers are taken at once. It is also the pause where select sees nothing: while a name is looked up,
                    # and of descriptors above 1023.
                    time.sleep(_TOGETHER)
            first = waiting.popleft()
            yield first.key, first.data
    finally:
        for one in waiting:
            if one.handle is not None and not one.is_done:
                multi.remove_handle(one.handle)
        multi.close()


class _UnderWay:
    """An object that was asked for. `data`: its bytes, as soon as it `is_done`; None where the link did not give them."""

    def __init__(self, key: str, handle: Any) -> None:
        self.key, self.handle = key, handle
        self.is_done = handle is None
        self.data: bytes | None = None
        self.body = BytesIO()

    def end(self, good: bool) -> None:
        self.data, self.is_done = self.body.getvalue() if good else None, True
        self.body.close()  # the handle holds it until it is used again


def _begun(multi: Any, key: str, link: str | None, free: list[Any]) -> _UnderWay:
    if link is None:
        return _UnderWay(key, None)
    pycurl = library()
    handle = free.pop()
    handle.under_way = _UnderWay(key, handle)
    handle.setopt(pycurl.URL, link)
    handle.setopt(pycurl.WRITEDATA, handle.under_way.body)
    multi.add_handle(handle)
    return handle.under_way


def _ended(multi: Any) -> Generator[tuple[Any, bool], None, None]:
    """The handles whose transfers have ended, and whether their answers came whole."""
    more = 1
    while more:
        more, good, bad = multi.info_read()
        yield from ((handle, True) for handle in good)
        yield from ((handle, False) for handle, *_ in bad)


def _handle(how: How) -> Any:
    import certifi

    pycurl = library()
    handle = pycurl.Curl()
    options: dict[int, Any] = {
        pycurl.NOSIGNAL: 1,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.BUFFERSIZE: _BUFFER,
        pycurl.MAXFILESIZE_LARGE: how.limit,
        pycurl.CONNECTTIMEOUT_MS: math.ceil(1000 * how.connect),
        pycurl.TIMEOUT_MS: math.ceil(1000 * how.whole),
        pycurl.LOW_SPEED_LIMIT: 1,
        pycurl.LOW_SPEED_TIME: math.ceil(how.stalled),  # 0 would be for ever
    }
    if how.verify is False:
        options |= {pycurl.SSL_VERIFYPEER: 0, pycurl.SSL_VERIFYHOST: 0}
    else:
        known = how.verify if isinstance(how.verify, str) else ssl.get_default_verify_paths().cafile
        options[pycurl.CAINFO] = known or certifi.where()
    for option, value in options.items():
        handle.setopt(option, value)
    return handle
