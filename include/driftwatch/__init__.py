"""Driftwatch's domain: plain Python, usable from a notebook, never imports Airflow."""
