"""The recovery outcomes warehouse: receive, admit, link, model and publish cross-agency extracts.

One folder per stage, named after it. `warehouse.cli` is the front door; `dags/` wires the stages into Airflow.
"""
