"""One transport under every outside service: time limits, what is repeated and when, and messages without secrets.

It is an `httpx.BaseTransport`, so every client that is built on httpx runs through it, toloka-kit's too. It gives back the last answer,
whatever its status, and raises NoAnswer where none came.
"""

from driftwatch.http.answers import Tries, error_of, said_by, tries_of
from driftwatch.http.errors import (
    CannotBeSent,
    NoAnswer,
    ServiceError,
    ServiceRefusedAccess,
    ServiceRefusedRequest,
    tried,
)
from driftwatch.http.policy import Call, Limits, Service, host_of, is_temporary, limits_of, retry_after, target_of
from driftwatch.http.transport import RetryingTransport, client_for

__all__ = [
    "Call",
    "CannotBeSent",
    "Limits",
    "NoAnswer",
    "RetryingTransport",
    "Service",
    "ServiceError",
    "ServiceRefusedAccess",
    "ServiceRefusedRequest",
    "Tries",
    "client_for",
    "error_of",
    "host_of",
    "is_temporary",
    "limits_of",
    "retry_after",
    "said_by",
    "target_of",
    "tried",
    "tries_of",
]
