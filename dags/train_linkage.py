"""Airflow DAG that trains a new version of the linkage models, by hand: no night waits for it, and it puts nothing in force."""

from airflow.sdk import Param, dag, task

from warehouse.orchestrate.dag_defaults import DEFAULT_ARGS, START_DATE, night_of_run, runbook


@dag(
    dag_id="train_linkage",
    schedule=None,
    start_date=START_DATE,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["tier:2", "stage:link"],
    doc_md=runbook("train"),
    params={
        "night": Param(None, type=["null", "string"], format="date", description="Night as of which the vault is read, or date of the delivery"),
        "version": Param(None, type=["null", "integer"], minimum=1, description="Number of the new version"),
        "population": Param("", type="string", description="What the models are trained on, in words, for the model cards"),
        "inbox": Param(None, type=["null", "string"], description="A first delivery to train on, one sub-folder a feed; empty: the vault"),
        "seed": Param(1, type="integer", description="The same seed and population give the same models"),
    },
)
def train_linkage() -> None:
    """Declare the training DAG."""

    @task
    def train() -> list[str]:
        """Train every model of the version into the folder of trained models; gives their names."""
        from pathlib import Path

        from airflow.sdk import get_current_context

        from warehouse.link.train import new_version_folder
        from warehouse.link.train import train as train_models

        params = get_current_context()["params"]
        inbox = Path(params["inbox"]) if params["inbox"] else None
        version = int(params["version"])
        return sorted(train_models(inbox, night_of_run(), params["population"], version, params["seed"], new_version_folder(version)))

    @task
    def compare(models: list[str]) -> str:
        """Write what the new models weigh otherwise than the ones in force, for the review; gives the file's name."""
        from airflow.sdk import get_current_context

        from warehouse.link.train import new_version_folder, write_changes

        return write_changes(new_version_folder(int(get_current_context()["params"]["version"])), models).name

    compare(train())


train_linkage()
