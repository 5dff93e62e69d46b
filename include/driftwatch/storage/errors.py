"""What an error of the storage means. This is the one place that sorts them, for folders and S3 alike.

- The object is gone: MissingArtifact.
- The storage refuses, and repeating cannot help: StorageRefused.
- The credentials have ended; at a new try of the task they may be renewed: StorageFailed.
- The error may pass: the call is tried again with pauses, and then raises StorageFailed.

Each error names what was asked for. An error that is none of these, such as a mistake in a program, is raised as it is.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from html import unescape
from typing import NamedTuple, TypeVar

from driftwatch.errors import DamagedFile, DriftwatchError, MissingArtifact, StorageFailed, StorageRefused
from driftwatch.outside import note_repeat

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Seconds before the second and the third try. Before the first error, boto3 and obstore have tried several times themselves.
PAUSES = (0.5, 2.0)


class Meaning(Enum):
    GONE = "gone"
    REFUSED = "refused"
    ENDED = "ended"
    PASSING = "passing"


class Answer(NamedTuple):
    """What an object store said. `code`: its error code, else the HTTP status as text. `message` begins with the key if one of several objects is
    meant."""

    code: str = ""
    status: int = 0
    message: str = ""


_GONE = {"NoSuchKey", "BlobNotFound", "NoSuchVersion", "404"}
_ENDED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
# Every status from 500 on may pass, too. A body that was not sent or received whole can happen once to anybody. NoSuchUpload answers the
# repeat of an upload's end whose first answer was lost: the object is written anew.
_PASSING = {
    "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "BandwidthLimitExceeded", "RequestTimeout",
    "OperationAborted", "TemporaryRedirect", "IncompleteBody", "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch",
    "NoSuchUpload", "InternalError", "ServiceUnavailable", "307", "408", "409", "429", "500", "502", "503", "504",
}  # fmt: skip
# The answers of conditional writes: only the caller knows what they mean.
_CONDITIONS = {"PreconditionFailed", "ConditionalRequestConflict", "412"}
_SETUP = ("NoCredentialsError", "PartialCredentialsError", "ParamValidationError", "ProfileNotFound", "UnknownEndpointError",
          "NoRegionError", "InvalidEndpointConfigurationError", "InvalidConfigError", "InvalidPathError")  # fmt: skip
# How obstore tells what the server answered, and what follows in its messages. S3 also answers 200 with an error in it, for single objects
# that it did not delete, and for a copy or a multipart upload that failed at its end.
_DEBUG = "\n\nDebug source"
_OBSTORE = re.compile(
    r"Server returned (?:non-2xx status code: (?P<status>\d+)[^:]*|error response): ?(?P<body>.*?)(?=\n\nDebug source|$)",
    re.DOTALL,
)
_ONE_KEY = re.compile(r"failed for key (?P<key>.*?): (?P<message>.*) \(code: (?P<code>\w+)\)(?=\n\nDebug source|$)")
_LOCAL_GONE = {errno.ENOENT, errno.ENOTDIR}
_LOCAL_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}

_NO_RIGHT = (401, 403)
# A storage does not know which setting leads to it: the monitor's own, or where its images lie.
_PLACE = "storage.uri in the monitor file, or images.layout (paths, inventory.path) where that leads there"
_CONNECTION = "storage.connection (images.layout.connection where images.layout leads there)"
_ADVICE = {
    "NoSuchBucket": f"there is no such bucket: create it, or correct {_PLACE}",
    "ContainerNotFound": f"there is no such container: create it, or correct {_PLACE}",
    "InvalidPathError": "an object there has an empty part or a control character in its key: rename it, or take it away",
    "PermanentRedirect": f"the bucket is in another region: correct the region of {_CONNECTION}",
    "AuthorizationHeaderMalformed": f"correct the region, which is not the bucket's, of {_CONNECTION}",
    "RequestTimeTooSkewed": "set this machine's clock",
    "InvalidAccessKeyId": f"correct the credentials of {_CONNECTION}",
    "SignatureDoesNotMatch": f"correct the credentials of {_CONNECTION}",
    "InvalidObjectState": "the object is archived: restore it first",
    "NoCredentialsError": f"there are no credentials: set {_CONNECTION}, or give the workers a role",
    "InvalidToken": f"correct the credentials of {_CONNECTION}",
    # Azure's words for a wrong key, Google's for a token that is none.
    **dict.fromkeys(
        ("AuthenticationFailed", "NoAuthenticationInformation", "InvalidAuthenticationInfo", "AuthenticationRequired"),
        f"correct the credentials of {_CONNECTION}; a SAS token may have ended",
    ),
    **dict.fromkeys(
        ("EntityTooLarge", "RequestBodyTooLarge", "413"), "the storage takes no object of this size: use one that does"
    ),
}
# Azure's message, whatever code it comes with.
_WRONG_SIGNATURE = "Server failed to authenticate the request"
# How obstore calls a request to who gives tokens for a service account, an application or a machine's role.
_NO_LOGIN = "performing token request"
_NO_RIGHT_ADVICE = f"give the account of {_CONNECTION} this right, or that of the workers, then run the task again"
# A folder has no connection: who runs the command or the worker is who may or may not.
_NO_RIGHT_TO_FOLDER = f"give the user that runs this (uid {{uid}}) the right there, by chown or chmod, where the disk is not mounted read-only; or correct {_PLACE}"
_ODD_REQUEST_ADVICE = "no right is missing: the storage does not take such a request; correct what its message names"


def calling(verb: str, where: str, call: Callable[[], T]) -> T:
    """The result of `call`, which must end the same when done twice; its errors are sorted as above.

    `verb` and `where`: what was asked for, like `read s3://bucket/key`.
    """
    for pause in (*PAUSES, None):
        try:
            return call()
        except DriftwatchError:
            raise
        except Exception as error:
            meaning = meaning_of(error)
            if meaning is None:
                raise
            if meaning is not Meaning.PASSING or pause is None:
                raise _sorted(meaning, error, verb, where) from error
            note_repeat("storage")
            logger.warning("Could not %s %s (%s); trying again in %s s", verb, where, _said(error), pause)
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


@contextmanager
def sorting(verb: str, where: str) -> Iterator[None]:
    """Sorts what a block that cannot be repeated raises, such as a disk that is full while a table is written."""
    try:
        yield
    except OSError as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
        raise _sorted(meaning, error, verb, where) from error


def if_there(look: Callable[[], T]) -> T | None:
    """None where what is looked for is not there."""
    try:
        return look()
    except Exception as error:
        if meaning_of(error) is Meaning.GONE:
            return None
        raise


def meaning_of(error: BaseException) -> Meaning | None:
    """What the error means; None if it is no error of a storage, or the answer to a conditional write."""
    answer = answer_of(error)
    if answer.code:
        return _meaning_of_code(answer.code, answer.status)
    if isinstance(error, FileExistsError):
        return None
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & set(_SETUP):
        return Meaning.REFUSED
    # By name: neither library is needed for a folder. GenericError is obstore's, of a server that did not answer.
    if names & {"BotoCoreError", "HTTPClientError", "ClientError", "IncompleteRead", "TimeoutError", "GenericError"}:
        return Meaning.PASSING
    if not isinstance(error, OSError):
        return None
    if error.errno in _LOCAL_GONE or isinstance(error, FileNotFoundError):
        return Meaning.GONE
    if error.errno in _LOCAL_REFUSED or isinstance(error, PermissionError):
        return Meaning.REFUSED
    return Meaning.PASSING


def _meaning_of_code(code: str, status: int) -> Meaning | None:
    if code in _CONDITIONS:
        return None
    if code in _GONE:
        return Meaning.GONE
    if code in _ENDED:
        return Meaning.ENDED
    if code in _PASSING or status >= 500 or status == 429:
        return Meaning.PASSING
    return Meaning.REFUSED


def refused_setup(uri: str, error: Exception) -> StorageRefused:
    """What a login or an address is that no client can be made of, such as a key that is no key. Repeating cannot help."""
    return StorageRefused(f"may not open {uri} ({_said(error)}): correct {_CONNECTION}, or {_PLACE}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what a library says that caused it. The error that is being handled meanwhile has nothing to do with it."""
    found: BaseException | None = error
    for _ in range(5):
        if found is None:
            return
        yield found
        found = found.__cause__


def answer_of(error: BaseException) -> Answer:
    """What the server answered, as far as boto3 or obstore tell; empty if it did not answer."""
    for link in _chain(error):
        answer = getattr(link, "response", None)
        if isinstance(answer, dict) and "Error" in answer:  # botocore's
            status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            said = answer["Error"]
            return Answer(
                str(said.get("Code") or status or "unknown"), int(status), _line(str(said.get("Message", "")))
            )
        if found := _OBSTORE.search(str(link)):
            return _of_body(found["body"], found["status"])
        if found := _ONE_KEY.search(str(link)):
            return Answer(found["code"], 200, f"{found['key']}: {_line(found['message'])}")
    return Answer()


def _of_body(body: str, status: str | None) -> Answer:
    """What the XML of an error says. `status`: None where it came with 200."""
    if status is not None:
        plain = "" if body.lstrip().startswith("<") else _line(body)  # such as the JSON of who gives tokens
        said = " ".join(
            filter(None, [_tag("Message", body), _tag("AuthenticationErrorDetail", body)])
        )  # the second is Azure's
        return Answer(_tag("Code", body) or status, int(status), said or plain)
    first = re.sub("<Deleted>.*?</Deleted>", "", body, flags=re.DOTALL)
    parts = [_tag("Key", first), _tag("Message", first)]
    return Answer(_tag("Code", first), 200, ": ".join(filter(None, parts)))


def _tag(name: str, xml: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    return unescape(_line(found[1])) if found else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _said(error: BaseException) -> str:
    answer = answer_of(error)
    if answer.code:
        return f"{answer.code}: {answer.message}"[:300]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {_line(str(error).partition(_DEBUG)[0])}"[:300]


def _advice(error: BaseException) -> str:
    """What to do about a refusal."""
    answer = answer_of(error)
    known = _ADVICE.get(answer.code) or _ADVICE.get(type(error).__name__)
    if known:
        return known
    if answer.code:
        if answer.message.startswith(_WRONG_SIGNATURE):
            return _ADVICE["AuthenticationFailed"]
        if any(_NO_LOGIN in str(link) for link in _chain(error)):
            return _ADVICE["InvalidToken"]
        no_right = answer.status in _NO_RIGHT or answer.code == "AccessDenied"
    elif getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS):
        return _NO_RIGHT_TO_FOLDER.format(uid=os.geteuid())
    else:
        no_right = isinstance(error, PermissionError)
    return _NO_RIGHT_ADVICE if no_right else _ODD_REQUEST_ADVICE


def _sorted(meaning: Meaning, error: BaseException, verb: str, where: str) -> DriftwatchError:
    said = _said(error)
    if meaning is Meaning.GONE:
        return MissingArtifact(
            f"{where} does not exist: the step that writes it has not run, or another storage is configured"
        )
    if meaning is Meaning.REFUSED:
        return StorageRefused(f"may not {verb} {where} ({said}): {_advice(error)}")
    if meaning is Meaning.ENDED:
        return StorageFailed(
            f"could not {verb} {where} ({said}): the credentials have ended; a new try of the task takes new ones, where "
            f"{_CONNECTION} or the workers' role gives any"
        )
    kind = (
        DamagedFile
        if isinstance(error, OSError) and error.errno == errno.EIO and not answer_of(error).code
        else StorageFailed
    )
    never = (
        ""
        if answer_of(error).code or isinstance(error, OSError)
        else f"; if it never answered, correct the address or region of {_CONNECTION}"
    )
    return kind(
        f"could not {verb} {where}, however often it was asked ({said}): run the task again when the storage is well{never}"
    )
