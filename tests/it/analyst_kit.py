"""Reads a lake as analysts do, with several engines, and prints what they see as one line of JSON each.

Usage: analyst_kit.py ENGINE LAKE, where ENGINE is duckdb, polars, pyarrow, datafusion or spark.
Exit code 9: the engine is not installed.
"""

import json
import sys

SUMS = "count(*) AS rows, sum(amount) AS amount, count(note) AS notes, min(observed) AS first, max(changed) AS last"


def plain(value):
    return value if isinstance(value, (int, list, dict, type(None))) else str(value)


def duckdb(lake):
    import duckdb

    db = duckdb.connect()
    with open(f"{lake}/simulator/_meta/views/duckdb.sql") as views:
        db.execute(views.read())

    def ask(question):
        return [[plain(value) for value in row] for row in db.execute(question).fetchall()]

    return {
        "tables": ask("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1"),
        "history": ask("SELECT count(*), sum(amount), count(note) FROM observation_v1_history"),
        "sites": ask("SELECT DISTINCT site FROM observation_v1_history WHERE site = _site ORDER BY 1"),
        "latest": ask("SELECT _site, record_id, amount FROM observation_v1_latest ORDER BY ALL"),
        "as_of_first": ask("SELECT count(*), sum(amount) FROM observation_v1_as_of('2026-11-17')"),
        "as_of_none": ask("SELECT count(*) FROM observation_v1_as_of('2026-11-16')"),
        "current": ask("SELECT count(*), count(added) FROM observation_latest"),
        "snapshot": ask("SELECT _site, count(*) FROM roster_latest GROUP BY 1 ORDER BY 1"),
        "snapshot_as_of": ask("SELECT _site, count(*) FROM roster_as_of('2026-11-17') GROUP BY 1 ORDER BY 1"),
        "types": ask("SELECT column_name, column_type FROM (DESCRIBE observation_v1_history)"),
        "coverage": ask(f"SELECT count(*) FROM '{lake}/simulator/_meta/coverage.parquet' WHERE expected AND NOT arrived"),
        "runs": ask(f"SELECT outcome, rows FROM '{lake}/simulator/_meta/runs.parquet'"),
        "footer": ask(
            "SELECT DISTINCT decode(value) FROM parquet_kv_metadata("
            f"'{lake}/simulator/data/observation/v1/*/*/*.parquet') WHERE decode(key) = 'halo_extract.query'"
        ),
    }


def polars(lake):
    import polars

    frame = polars.scan_parquet(f"{lake}/simulator/data/observation/v1/", hive_partitioning=True)
    sums = frame.select(
        polars.len(),
        polars.col("amount").sum(),
        polars.col("note").count(),
        polars.col("observed").min(),
        polars.col("changed").max(),
    ).collect()
    return {"sums": [plain(value) for value in sums.row(0)]}


def pyarrow(lake):
    import pyarrow.compute
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(f"{lake}/simulator/data/observation/v1", partitioning="hive").to_table()
    compute = pyarrow.compute
    return {
        "sums": [
            table.num_rows,
            str(compute.sum(table["amount"]).as_py()),
            table.num_rows - table["note"].null_count,
            str(compute.min(table["observed"]).as_py()),
            str(compute.max(table["changed"]).as_py()),
        ],
        "guid": str(table.schema.field("guid").type),
    }


def datafusion(lake):
    import datafusion

    context = datafusion.SessionContext()
    context.register_parquet("observation", f"{lake}/simulator/data/observation/v1/")
    row = context.sql(f"SELECT {SUMS} FROM observation").to_pylist()[0]
    return {"sums": [plain(value) for value in row.values()]}


def spark(lake):
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    with open(f"{lake}/simulator/_meta/views/spark.sql") as views:
        lines = [line for line in views if not line.startswith("--")]
    for statement in "".join(lines).split(";\n"):
        if statement.strip():
            session.sql(statement)

    def ask(question):
        return [[plain(value) for value in row] for row in session.sql(question).collect()]

    return {
        "sums": ask(f"SELECT {SUMS} FROM observation_v1_history")[0],
        "latest": ask("SELECT _site, record_id, amount FROM observation_v1_latest ORDER BY 1, 2"),
        "as_of_first": ask("SELECT count(*), sum(amount) FROM observation_v1_as_of(DATE '2026-11-17')"),
        "current": ask("SELECT count(*), count(added) FROM observation_latest"),
    }


if __name__ == "__main__":
    _, engine, lake = sys.argv
    try:
        seen = globals()[engine](lake)
    except ModuleNotFoundError:
        sys.exit(9)
    print(json.dumps(seen))
