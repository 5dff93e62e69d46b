"""The monitor file: one file for each section, the loader, and the documentation that is generated from them."""

from driftwatch.config.images import ImagesConfig
from driftwatch.config.monitor import (
    AlertKind,
    AnnotationConfig,
    ExamConfig,
    MonitorConfig,
    NotifierConfig,
    QualityRules,
    ScheduleConfig,
)
from driftwatch.config.profiling import ProfilingConfig

__all__ = [
    "AlertKind",
    "AnnotationConfig",
    "ExamConfig",
    "ImagesConfig",
    "MonitorConfig",
    "NotifierConfig",
    "ProfilingConfig",
    "QualityRules",
    "ScheduleConfig",
]
