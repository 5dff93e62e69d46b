"""Who may label, and who may bring work: tokens that are shown once, end by themselves, and can be revoked.

Of a token only its SHA-256 is kept. That is enough: a token is 192 random bits, so nobody can try all of them, however fast the hash is.
Slow hashes are for passwords, which people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.tables import CLIENT, PERSON, keys
from driftwatch_servers.desk.tables import sessions as kept_sessions
from driftwatch_servers.labelling.sessions import Session

_DAY = 86_400.0
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Holder:
    """Somebody with a token. Times are Unix seconds. `revoked` is None unless the token was revoked."""

    name: str
    made: float
    ends: float
    revoked: float | None


class Keys:
    """The tokens of one `kind` (PERSON or CLIENT). `clock` gives Unix seconds."""

    def __init__(self, database: Database, kind: str, clock: Callable[[], float] = time.time) -> None:
        self._database, self._kind, self._clock = database, kind, clock

    def add(self, name: str, days: float) -> str:
        """A new token for the name, valid for so many days. It is not kept: show it now.

        A name whose token was revoked or has ended may have a new one. Raises ValueError for a name that has a valid one.
        """
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValueError(f"the name {name[:40]!r} cannot be used: write 1 to {_LONGEST_NAME} printable characters")
        token, now = secrets.token_urlsafe(24), self._clock()
        with self._database.writing() as connection:
            found = connection.execute(sa.select(keys).where(self._is(name))).one_or_none()
            if found is not None and found.revoked is None and found.ends > now:
                raise ValueError(f"{name} has a token that is valid: revoke it first, then {name} can have a new one")
            connection.execute(keys.delete().where(self._is(name)))
            self._end_sessions(connection, name)
            row = {"kind": self._kind, "name": name, "hash": _hash(token), "made": now, "ends": now + days * _DAY}
            connection.execute(keys.insert().values(row))
        return token

    def revoke(self, name: str) -> None:
        """Makes the token worthless at once, and ends the sessions that it began. Raises ValueError for an unknown name."""
        with self._database.writing() as connection:
            revoked = keys.update().where(self._is(name), keys.c.revoked.is_(None)).values(revoked=self._clock())
            if not connection.execute(revoked).rowcount:
                raise ValueError(f"nobody with a valid token is called {name!r}: `list` shows the names")
            self._end_sessions(connection, name)

    def all(self) -> list[Holder]:
        """Everybody, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(keys).where(keys.c.kind == self._kind).order_by(keys.c.name)).all()
        return [Holder(row.name, row.made, row.ends, row.revoked) for row in rows]

    def owner(self, token: str) -> str | None:
        """Who has this token. None if nobody has it, or it is not valid any more."""
        return self._valid(keys.c.hash == _hash(token))

    def may_enter(self, name: str) -> bool:
        """Whether the name has a valid token now."""
        return self._valid(keys.c.name == name) is not None

    def _valid(self, condition: sa.ColumnElement[bool]) -> str | None:
        valid = (keys.c.kind == self._kind, keys.c.revoked.is_(None), keys.c.ends > self._clock(), condition)
        with self._database.reading() as connection:
            found: str | None = connection.scalar(sa.select(keys.c.name).where(*valid))
        return found

    def _end_sessions(self, connection: sa.Connection, name: str) -> None:
        if self._kind == PERSON:
            connection.execute(kept_sessions.delete().where(kept_sessions.c.name == name))

    def _is(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(keys.c.kind == self._kind, keys.c.name == name)


class Clients(Keys):
    """The tokens of those who bring work. `given`: one more, which the server was started with; it is kept nowhere."""

    def __init__(self, database: Database, given: str = "", clock: Callable[[], float] = time.time) -> None:
        super().__init__(database, CLIENT, clock)
        self._given = given

    def owner(self, token: str) -> str | None:
        if self._given and hmac.compare_digest(_hash(self._given), _hash(token)):
            return "airflow"
        return super().owner(token)


class StoredSessions:
    """A `SessionStore` in the desk's database: logins stay valid over a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, session_hash: str) -> Session | None:
        with self._database.reading() as connection:
            found = connection.execute(
                sa.select(kept_sessions).where(kept_sessions.c.hash == session_hash)
            ).one_or_none()
        return Session(found.hash, found.name, found.ends) if found else None

    def add(self, session: Session, now: float) -> None:
        with self._database.writing() as connection:
            connection.execute(kept_sessions.delete().where(kept_sessions.c.ends <= now))
            row = {"hash": session.hash, "name": session.name, "ends": session.until}
            connection.execute(kept_sessions.insert().values(row))

    def remove(self, session_hash: str) -> None:
        with self._database.writing() as connection:
            connection.execute(kept_sessions.delete().where(kept_sessions.c.hash == session_hash))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
