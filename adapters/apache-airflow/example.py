"""A DAG that publishes a report if a person says so.

`python example.py RUN_ID` runs it once in this process, with its database in AIRFLOW_HOME.
"""

import sys
from datetime import datetime, timezone

from airflow.sdk import DAG, task
from hitl_airflow import HitlOperator

with DAG("publish", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:
    approve = HitlOperator(task_id="approve", name="approve", data_type=bool, prompt="Publish the report of {{ ds }}?")

    @task
    def publish(approved: bool) -> str:
        """Publishes it, or not."""
        said = "published" if approved else "kept back"
        print(f"the report is {said}")
        return said

    publish(approve.output)

if __name__ == "__main__":
    when = datetime.fromisoformat(sys.argv[1])
    # The id of the run is made of the second, so that it is the same when it is carried out again.
    run = dag.test(logical_date=when, run_after=when)
    print(f"the run is {run.state}")
