"""The numbers of a monitor for Prometheus, StatsD and OpenTelemetry, by names that stay. `names` has them, `of_artifacts` makes them of what
the days left, `current` takes the newest, and `text` writes them as Prometheus reads them.
"""
