"""The monitor file: one file for each section, the loader, and the documentation that is generated from them."""

from driftwatch.config.annotation import AnnotationConfig, ExamConfig, QualityRules
from driftwatch.config.images import ImagesConfig
from driftwatch.config.model_input import InputConfig
from driftwatch.config.monitor import MonitorConfig
from driftwatch.config.notifiers import AlertKind, NotifierConfig
from driftwatch.config.profiling import ProfilingConfig
from driftwatch.config.schedule import ScheduleConfig
from driftwatch.config.storage import StorageConfig

__all__ = [
    "AlertKind",
    "AnnotationConfig",
    "ExamConfig",
    "ImagesConfig",
    "InputConfig",
    "MonitorConfig",
    "NotifierConfig",
    "ProfilingConfig",
    "QualityRules",
    "ScheduleConfig",
    "StorageConfig",
]
