"""A result through the API to Parquet by dlt: a resource that yields the rows of each page, a folder as destination.

usage: dlt_pipeline.py READY QUERY.sql FOLDER
"""

import os
import pathlib
import sys

ready, statement, target = sys.argv[1:]
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DESTINATION__FILESYSTEM__BUCKET_URL"] = f"file://{pathlib.Path(target).resolve()}/lake"

import dlt

from requests_script import api, result_pages

COLUMNS = {
    **{name: {"data_type": "bigint"} for name in ("RECORDID", "INTERNALID", "VISITID", "USERID", "CODE")},
    **{name: {"data_type": "timestamp", "timezone": False} for name in ("OBSERVED", "CREATED", "UPDATED")},
    "VALUE": {"data_type": "decimal", "precision": 12, "scale": 3},
    **{name: {"data_type": "text"} for name in ("UNIT", "REASON", "REFERENCE", "NOTE")},
    "ISACTIVE": {"data_type": "bool"},
}


@dlt.resource(name="observation", columns=COLUMNS)
def observation():
    session, base = api(ready)
    yield from result_pages(session, base, pathlib.Path(statement).read_text())


pipeline = dlt.pipeline("benchmark", destination="filesystem", dataset_name="lake", pipelines_dir=f"{target}/state")
pipeline.run(observation, loader_file_format="parquet")
