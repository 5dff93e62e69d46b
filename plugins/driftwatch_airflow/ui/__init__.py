"""The monitor pages in Airflow's UI."""
