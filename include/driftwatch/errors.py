"""Errors that a user can act on: each message names the file, field or image, what is allowed, and what to do."""


class DriftwatchError(Exception):
    """Base of every error that Driftwatch raises on purpose."""


class ConfigError(DriftwatchError):
    """A monitor file is missing, unreadable or has a field with a value that is not allowed."""


class EmptyDay(DriftwatchError):
    """No image arrived for the day."""


class TooManyRejects(DriftwatchError):
    """More of the day's files were quarantined than `images.max_reject_share` allows."""


class MissingArtifact(DriftwatchError):
    """An artifact that an earlier step writes is not in storage."""


class NotEnoughLabels(DriftwatchError):
    """Too few human labels to do what was asked."""
