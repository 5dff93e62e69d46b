"""What an outside service fails with; each message names the service, the address without secrets, and what to do."""

from __future__ import annotations

from driftwatch.errors import AccessRefused, DriftwatchError, RequestRefused


def tried(times: int) -> str:
    """`tried once`, `tried 3 times`: how often a request was sent."""
    return "tried once" if times == 1 else f"tried {times} times"


class ServiceError(DriftwatchError):
    """An outside service failed. `status`: that of its answer, None where none came. `uncertain`: the request may have had its effect."""

    def __init__(self, message: str, status: int | None = None, uncertain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.uncertain = uncertain


class NoAnswer(ServiceError):
    """No answer came: the network, a time limit, or a broken connection.

    `cause` says which, without secrets; `tries`: how often it was sent; `remedy`: what to look at.
    """

    def __init__(self, message: str, cause: str, tries: int, remedy: str, uncertain: bool) -> None:
        super().__init__(message, uncertain=uncertain)
        self.cause = cause
        self.tries = tries
        self.remedy = remedy


class CannotBeSent(ServiceError, RequestRefused):
    """The request itself is no HTTP, such as a header with a line end; nothing was sent."""


class ServiceRefusedAccess(ServiceError, AccessRefused):
    """The service, or a proxy before it, refused the login (401, 407), or the account may not do this (403)."""


class ServiceRefusedRequest(ServiceError, RequestRefused):
    """The service found the request wrong (another 4xx); sent again it is refused again."""
