"""The monitor file's section `reference`: what counts as usual."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import Section


class ReferenceConfig(Section):
    """What the drift tests take as usual: the training data, and the states that were accepted beside it."""

    accept_after_promotion: Literal["propose", "auto", "never"] = Field(
        "propose",
        description="A model was retrained on days that had drifted, and is promoted. Are such days usual from now on? propose: the message "
        "of the promotion names the days and says how to accept them. auto: they are accepted at once. never: nothing is said.",
    )
