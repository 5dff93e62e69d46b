"""Addresses and secrets that people paste into connections: what can be sent, and how secrets stay out of messages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.seams import Seam

if TYPE_CHECKING:
    import httpx

_HIDDEN = "***"
_SHORTEST = 6  # a shorter secret would hide parts of ordinary words, and guards nothing


@dataclass(frozen=True)
class Access:
    """How an outside service is reached, as an Airflow connection says it.

    `name`: the connection, for messages. `address`: empty for the service's own. `secret`: empty for a server that asks for none.
    `extras`: its other fields, by name. `login`: who signs in, where it is not the secret alone.
    """

    name: str
    address: str
    secret: str = field(repr=False)
    extras: Mapping[str, Any] = field(default_factory=dict, repr=False)
    login: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What each request to a team's own server carries: the `headers` of the extras, and the login: Basic for a user with a
        password, else the secret as a bearer token."""
        given = self.extras.get("headers") or {}
        if not isinstance(given, Mapping) or not all(isinstance(value, str) for value in given.values()):
            raise NeedsAttention(
                f'{self.name} has headers in its extras that are no mapping of texts: write them like {{"headers": {{"Host": '
                '"cats.example.org"}}; correct it under Admin > Connections'
            )
        if self.login:
            basic = base64.b64encode(f"{self.login}:{self.secret}".encode()).decode()
            return {**given, "Authorization": f"Basic {basic}"}
        return {**given, "Authorization": f"Bearer {self.secret}"} if self.secret else dict(given)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        return tuple(
            part for value in (self.secret, *self.headers.values()) for part in (value, value.split(" ")[-1]) if part
        )

    def number(self, field: str, default: float, highest: float) -> float:
        """A number from 0 to `highest` of the extras; raises NeedsAttention for anything else."""
        given = self.extras.get(field)
        if given is None or given == "":
            return default
        try:
            number = float(given)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number <= highest:
            raise NeedsAttention(
                f"{self.name} has {field} {str(given)[:40]!r} in its extras: a number from 0 to {highest:g} is allowed; correct it under "
                "Admin > Connections"
            )
        return number


# `read(connection, needed_by)`: how the team's own server behind an Airflow connection is reached. `needed_by` is the setting that names it.
ReadAccess = Callable[[str, str], Access]

# The domain knows no Airflow. Whoever reads its connections for commands outside of tasks is installed beside it.
READERS = Seam("reader of connections", "driftwatch.connections", {})


def server_access(connection: str, needed_by: str) -> Access:
    """The Airflow connection of a team's own server, for a command outside of tasks: from the environment (AIRFLOW_CONN_<ID>), a secrets
    backend, or Airflow's database. Raises NeedsAttention where there is none."""
    read: ReadAccess = READERS.find("airflow")
    return read(connection, needed_by)


def usable_secret(secret: str | None, what: str) -> str:
    """The secret without the blanks and line ends that were pasted along with it.

    `what`: its place, for the message, such as "the password of the Airflow connection toloka_default". Raises AccessRefused
    where nothing is left, or where it holds a sign that no HTTP header can carry. The message never shows the secret.
    """
    stripped = (secret or "").strip()
    if not stripped:
        raise AccessRefused(f"{what} is empty: set it under Admin > Connections")
    bad = next((place for place, sign in enumerate(stripped, 1) if not "!" <= sign <= "~"), None)
    if bad is not None:
        raise AccessRefused(
            f"{what} cannot be sent: its character {bad} of {len(stripped)} is no printable ASCII (a blank, a line end or a "
            "typographic sign?); copy it once more, as one word"
        )
    return stripped


def usable_address(address: str, what: str) -> str:
    """An `http(s)://host[:port][/path]` address without the blanks around it and its last slash.

    `what`: its place, for the message. Raises NeedsAttention for another address, and for one that holds a user or a password:
    addresses appear in messages and links.
    """
    import httpx

    stripped = address.strip().rstrip("/")
    try:
        parsed = httpx.URL(stripped)
    except httpx.InvalidURL as error:
        raise NeedsAttention(f"{what} is no address ({error}): give it as https://host") from error
    if parsed.userinfo:
        raise NeedsAttention(
            f"{what} holds a user or a password: leave it out of the address, and use the password field"
        )
    if (parsed.port or 1) > 65535:
        raise NeedsAttention(
            f"{what} {stripped[:80]!r}: its port is above 65535: give the one that the service listens on"
        )
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise NeedsAttention(f"{what} {stripped[:80]!r}: it must begin with https:// (or http://) and a host")
    return stripped


def redacted(text: str, secrets: Sequence[str]) -> str:
    """The text with each secret replaced by `***`, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, _HIDDEN)
    return text


def without_secrets(response: httpx.Response, secrets: Sequence[str]) -> httpx.Response:
    """The answer itself, or a copy without the secrets that a failure's body echoes, so that no error made of it shows them."""
    import httpx

    if response.is_success:
        return response
    clean = redacted(response.text, secrets)
    if clean == response.text:
        return response
    headers = {
        name: redacted(value, secrets)
        for name, value in response.headers.items()
        if name not in ("content-length", "content-encoding", "transfer-encoding")
    }
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=clean.encode(response.encoding or "utf-8", "replace"),
        request=response.request,
        extensions=response.extensions,
    )


@contextmanager
def hiding(secrets: Sequence[str]) -> Iterator[None]:
    """A failure of the connection whose message holds a secret is raised anew without it, and without its cause."""
    import httpx

    try:
        yield
    except httpx.RequestError as error:
        clean = redacted(str(error), secrets)
        if clean == str(error):
            raise
        raise type(error)(clean) from None
