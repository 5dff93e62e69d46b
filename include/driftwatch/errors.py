"""Errors that a user can act on: each message names the file, field or image, what is allowed, and what to do."""


class DriftwatchError(Exception):
    """Base of every error that Driftwatch raises on purpose."""


class NeedsAttention(DriftwatchError):
    """Repeating cannot help: somebody has to change a setting, a file or an account first. Tasks are not retried on it."""


class ConfigError(NeedsAttention):
    """A monitor file is missing, unreadable or has a field with a value that is not allowed."""


class EmptyDay(NeedsAttention):
    """No image arrived for the day."""


class TooManyRejects(NeedsAttention):
    """More of the day's files were quarantined than `images.max_reject_share` allows."""


class MissingArtifact(DriftwatchError):
    """An artifact that an earlier step writes is not in storage."""


class DamagedArtifact(NeedsAttention, ValueError):
    """A stored artifact is not what the step that writes it writes; the message names the file."""


class StorageRefused(NeedsAttention):
    """The storage does not let this account do what was asked, or is not set up as the monitor file says."""


class StorageFailed(DriftwatchError):
    """The storage did not do what was asked, also when it was asked again; a later try may well succeed."""


class ReplacedMeanwhile(StorageFailed):
    """An object was replaced while it was read in several parts; at a later try the new one is read."""


class DamagedFile(StorageFailed):
    """The disk cannot give a file's bytes."""


class OddEntry(DriftwatchError):
    """An entry of a folder that is not taken as a file: `kind` says why in a word, the message in a sentence."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ChangedImage(NeedsAttention):
    """A file is not the image any more that was taken in."""


class NotEnoughLabels(NeedsAttention):
    """Too few human labels to do what was asked."""


class AccessRefused(NeedsAttention):
    """An outside service refused the login, or the account may not do this."""


class RequestRefused(NeedsAttention):
    """An outside service found a field of a request invalid."""
