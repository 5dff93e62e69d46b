"""Model cards for tests that need a whole one and look at some of its fields alone."""

from __future__ import annotations

import json
from typing import Any

from driftwatch.artifacts.models import ModelCard

from .driftwatch.artifacts import samples


def model_card(**changes: Any) -> ModelCard:
    """The card of a first champion that fits the monitor files of the tests, with `changes` in its JSON."""
    return ModelCard.model_validate_json(json.dumps({**samples.FIRST_CARD, "input_size": 96, **changes}))
