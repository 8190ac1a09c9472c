"""A result through the API to Parquet, as an ordinary script does it: requests, json, pyarrow.

usage: requests_script.py READY QUERY.sql FILE
"""

import base64
import decimal
import json
import pathlib
import sys
import time

import pyarrow as pa
import pyarrow.parquet
import requests

from plain_python import table
from schema import ROW_GROUP_ROWS, SCHEMA, WRITER


def result_pages(session, base, statement):
    """The rows of each page of a query's result."""
    body = {
        "command": {"text": statement, "executionMode": "reader", "type": "text", "parameters": []},
        "maxTimeInQueue": 3_600_000,
    }
    asked = session.post(f"{base}/queries/async", json=body)
    asked.raise_for_status()
    query = f"{base}/queries/{asked.json()['id']}"
    while True:
        status = session.get(query).json()
        if status["status"] == "successful":
            break
        assert "ailed" not in status["status"], status
        time.sleep(0.05)
    for page in status["result"]["pages"]:
        answer = session.get(f"{query}/results/{page['pageNumber']}")
        answer.raise_for_status()
        rows = json.loads(base64.b64decode(answer.json()["data"]), parse_float=decimal.Decimal)
        for row in rows:
            if isinstance(row["VALUE"], int):
                row["VALUE"] = decimal.Decimal(row["VALUE"])
        yield rows


def api(ready):
    ready = json.loads(pathlib.Path(ready).read_text())
    session = requests.Session()
    session.headers["ocp-apim-subscription-key"] = ready["subscription_key"]
    return session, f"{ready['url']}/integrator/sites/{ready['sites'][0]['halo_guid']}"


def main():
    ready, statement, target = sys.argv[1:]
    session, base = api(ready)
    with pyarrow.parquet.ParquetWriter(target, SCHEMA, **WRITER) as writer:
        waiting, count = [], 0
        for rows in result_pages(session, base, pathlib.Path(statement).read_text()):
            waiting.append(table(rows))
            count += len(rows)
            if count >= ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
                waiting, count = [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)


if __name__ == "__main__":
    main()
