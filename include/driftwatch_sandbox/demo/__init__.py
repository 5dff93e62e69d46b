"""`make demo`: a simulated week on a real Airflow with the local stand-ins."""
