"""Driftwatch's Airflow layer: thin operators, hooks, a sensor with its trigger, links and alerts over the `driftwatch` domain."""
