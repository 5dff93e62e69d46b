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


class BrokenArtifact(NeedsAttention, ValueError):
    """An artifact is there but cannot be read: it was cut short, or changed by something else."""


class NotEnoughLabels(NeedsAttention):
    """Too few human labels to do what was asked."""


class AccessRefused(NeedsAttention):
    """An outside service refused the login, or the account may not do this."""


class RequestRefused(NeedsAttention):
    """An outside service found a field of a request invalid."""
