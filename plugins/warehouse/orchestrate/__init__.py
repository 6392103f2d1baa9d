"""Airflow around the stages: the assets that join the DAGs, the services of one machine, and a night run through them."""
