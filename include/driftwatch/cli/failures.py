"""What went wrong, in one message for the person at the terminal, and the exit code."""

from __future__ import annotations

from collections.abc import Iterator

from driftwatch.errors import ConfigError, DriftwatchError, NeedsAttention

FAILED, WRONG_INPUT = 1, 2  # exit codes
_LOGIN = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
_NOBODY = "check that it runs, the network, and AWS_ENDPOINT_URL where another server than Amazon's is meant"


class UsageError(NeedsAttention):
    """The command line asks for what does not exist."""


def exit_code(error: BaseException) -> int:
    return WRONG_INPUT if isinstance(error, ConfigError | UsageError) else FAILED


def explain(error: BaseException) -> str:
    """The message: what failed, and what to do where that is known."""
    if isinstance(error, DriftwatchError):
        return str(error)
    for link in _chain(error):
        if type(link).__module__.startswith(("botocore.", "aiobotocore.")):
            return _of_object_store(link)
    if isinstance(error, OSError) and error.strerror:
        named = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
        advice = ": this user may not read or write it" if isinstance(error, PermissionError) else ""
        return f"{named}: {error.strerror}{advice}" if named else f"{error.strerror}{advice}"
    said = " ".join(str(error).split())
    if isinstance(error, ValueError) and said.startswith(
        "Invalid endpoint"
    ):  # botocore's own is not raised for every text
        return f"{said}: AWS_ENDPOINT_URL must be like https://s3.example.org"
    return f"unexpected {type(error).__name__}{': ' if said else ''}{said} (--debug shows where)"


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _of_object_store(error: BaseException) -> str:
    from botocore import exceptions

    said = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, exceptions.ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        denied = code in ("403", "401", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")
        advice = f": the login is wrong, has ended, or may not do this; {_LOGIN}" if denied else ""
        return f"the object store refused {error.operation_name}: {said}{advice}"
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return f"there is no login for the object store ({said}): {_LOGIN}"
    if isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError):
        return f"the object store does not answer ({said}): {_NOBODY}"
    return f"the object store cannot be used ({said}): look at AWS_PROFILE, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL"
