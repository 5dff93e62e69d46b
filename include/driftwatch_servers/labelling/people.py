"""Who may label: what the page asks of whoever knows that, and the file of people and their tokens."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from driftwatch_servers.private_files import check_private

_SHORTEST_TOKEN = 12


class People(Protocol):
    """Who may label. Calls come from several threads at once."""

    def owner(self, token: str) -> str | None:
        """The name of the person who has this token. None if nobody has it."""

    def may_enter(self, name: str) -> bool:
        """Whether a person who has logged in before may still label."""


def read_people(path: Path) -> dict[str, str]:
    """Tokens by name, from the file `{name: token}`.

    Raises ValueError if others may read the file, if it holds something else, and if a token is short or stands there twice.
    """
    try:
        check_private(path, "--people")
        people = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"--people {path}: cannot be read: {error.strerror}; name a JSON file that you may read"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"--people {path}: cannot be read as JSON: {error}; correct the file") from error
    if not isinstance(people, dict) or not people or not all(isinstance(token, str) for token in people.values()):
        raise ValueError(f'--people {path}: must hold {{"name": "token", …}} with at least one person')
    if len(set(people.values())) < len(people) or any(len(token) < _SHORTEST_TOKEN for token in people.values()):
        raise ValueError(
            f"--people {path}: each person needs a token of their own of at least {_SHORTEST_TOKEN} characters"
        )
    return people


@dataclass(frozen=True)
class TokenList:
    """`People` by a list of tokens by name."""

    tokens: Mapping[str, str]

    def owner(self, token: str) -> str | None:
        given = token.encode(errors="surrogatepass")
        return next((name for name, known in self.tokens.items() if hmac.compare_digest(known.encode(), given)), None)

    def may_enter(self, name: str) -> bool:
        return name in self.tokens
