"""The monitor file: one file for each section, the loader, and the documentation that is generated from them."""

from driftwatch.config.crowd import ExamConfig, QualityRules
from driftwatch.config.images import ImagesConfig
from driftwatch.config.labels import LabelsConfig
from driftwatch.config.model_input import InputConfig
from driftwatch.config.monitor import MonitorConfig
from driftwatch.config.notifiers import AlertKind, NotifierConfig
from driftwatch.config.profiling import ProfilingConfig
from driftwatch.config.schedule import ScheduleConfig
from driftwatch.config.storage import StorageConfig

__all__ = [
    "AlertKind",
    "ExamConfig",
    "ImagesConfig",
    "InputConfig",
    "LabelsConfig",
    "MonitorConfig",
    "NotifierConfig",
    "ProfilingConfig",
    "QualityRules",
    "ScheduleConfig",
    "StorageConfig",
]
