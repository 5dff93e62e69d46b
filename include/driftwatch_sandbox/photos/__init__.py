"""Drawn cat and dog photos for a demo without real ones, and the camera that breaks."""

from driftwatch_sandbox.photos.camera import break_camera, break_file
from driftwatch_sandbox.photos.studio import draw, write_photos

__all__ = ["break_camera", "break_file", "draw", "write_photos"]
