"""Reads a lake as analysts do, with several engines, and prints what they see as one line of JSON each.

Usage: analyst_kit.py ENGINE LAKE, where ENGINE is duckdb, polars, pyarrow, pandas, datafusion, spark or trino. Trino is
played: sqlglot reads its statements as Trino does, and what they mean is asked of DuckDB.
Exit code 9: the engine is not installed.
"""

import datetime
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
        "both": ask(
            f"SELECT count(*), count(added) FROM read_parquet('{lake}/simulator/data/observation/*/*/*/*.parquet', union_by_name = true)"
        ),
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

    def version(number):
        return polars.scan_parquet(f"{lake}/simulator/data/observation/v{number}/", hive_partitioning=True)

    frame = version(1)
    sums = frame.select(
        polars.len(),
        polars.col("amount").sum(),
        polars.col("note").count(),
        polars.col("observed").min(),
        polars.col("changed").max(),
    ).collect()
    guid = frame.filter(polars.col("record_id") == 2).select("guid").first().collect().item()
    both = polars.concat([version(1), version(2)], how="diagonal").select(polars.len(), polars.col("added").count())
    return {
        "sums": [plain(value) for value in sums.row(0)],
        "types": {name: str(kind) for name, kind in frame.collect_schema().items()},
        "guid": guid.hex(),
        "sites": sorted(frame.select(polars.col("site").unique()).collect()["site"].to_list()),
        "both": list(both.collect().row(0)),
    }


def pyarrow(lake):
    import pyarrow.compute
    import pyarrow.dataset

    def version(number):
        return pyarrow.dataset.dataset(f"{lake}/simulator/data/observation/v{number}", partitioning="hive")

    versions = [version(1), version(2)]
    table = versions[0].to_table()
    both = pyarrow.concat_tables([of.to_table() for of in versions], promote_options="default")
    compute = pyarrow.compute
    return {
        "sums": [
            table.num_rows,
            str(compute.sum(table["amount"]).as_py()),
            table.num_rows - table["note"].null_count,
            str(compute.min(table["observed"]).as_py()),
            str(compute.max(table["changed"]).as_py()),
        ],
        "types": {field.name: str(field.type) for field in table.schema},
        "guid": table.filter(compute.equal(table["record_id"], 2))["guid"][0].as_py().hex,
        "sites": sorted(table["site"].unique().to_pylist()),
        "both": [both.num_rows, both.num_rows - both["added"].null_count],
    }


def pandas(lake):
    import pandas

    def version(number):
        return pandas.read_parquet(f"{lake}/simulator/data/observation/v{number}/", engine="pyarrow")

    frame = version(1)
    both = pandas.concat([frame, version(2)])
    return {
        "sums": [
            len(frame),
            str(frame["amount"].sum()),
            int(frame["note"].count()),
            str(frame["observed"].min()),
            str(frame["changed"].max()),
        ],
        "types": {name: str(kind) for name, kind in frame.dtypes.items()},
        "guid": frame[frame["record_id"] == 2]["guid"].iloc[0].hex,
        "sites": sorted(map(str, frame["site"].unique())),
        "both": [len(both), int(both["added"].count())],
    }


def datafusion(lake):
    import datafusion
    import pyarrow

    context = datafusion.SessionContext()
    partitions = [("site", pyarrow.string()), ("date", pyarrow.date32())]
    for version in ["v1", "v2"]:
        folder = f"{lake}/simulator/data/observation/{version}/"
        context.register_parquet(version, folder, table_partition_cols=partitions)

    def ask(question):
        return [list(row.values()) for row in context.sql(question).to_pylist()]

    types = ["amount", "guid", "observed", "changed", "_extracted_at", "site", "date"]
    kinds = ", ".join(f"arrow_typeof({name})" for name in types)
    return {
        "sums": [plain(value) for value in ask(f"SELECT {SUMS} FROM v1")[0]],
        "types": dict(zip(types, ask(f"SELECT {kinds} FROM v1 LIMIT 1")[0])),
        "guid": ask("SELECT guid FROM v1 WHERE record_id = 2 LIMIT 1")[0][0].hex(),
        "sites": [row[0] for row in ask("SELECT DISTINCT site FROM v1 ORDER BY 1")],
        "both": ask("SELECT count(*), count(added) FROM (SELECT added FROM v2 UNION ALL SELECT NULL FROM v1)")[0],
    }


def spark(lake):
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

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

    # Without `site` and `date`, whose folders lie below those of the versions; the rows tell both.
    own = [field for field in session.table("observation_v2_files").schema if field.name not in ("site", "date")]
    at_once = session.read.schema(StructType(own)).option("recursiveFileLookup", True)
    at_once = at_once.parquet(f"{lake}/simulator/data/observation")
    first, second = session.table("observation_v1_history"), session.table("observation_v2_history")
    versions = {"union": first.unionByName(second, allowMissingColumns=True), "at once": at_once}

    def refusal(read):
        try:
            read()
        except PySparkException as error:
            return error.getCondition()

    folders = [f"{lake}/simulator/data/observation/{version}" for version in ["v1", "v2"]]
    merging = session.read.option("mergeSchema", True)

    return {
        "both": {how: list(frame.selectExpr("count(*)", "count(added)").first()) for how, frame in versions.items()},
        "merged schema": [
            refusal(lambda: merging.parquet(*folders)),
            refusal(lambda: merging.option("recursiveFileLookup", True).parquet(*folders)),
        ],
        "sums": ask(f"SELECT {SUMS} FROM observation_v1_history")[0],
        "latest": ask("SELECT _site, record_id, amount FROM observation_v1_latest ORDER BY 1, 2"),
        "as_of_first": ask("SELECT count(*), sum(amount) FROM observation_v1_as_of(DATE '2026-11-17')"),
        "current": ask("SELECT count(*), count(added) FROM observation_latest"),
        "sites": ask("SELECT DISTINCT site FROM observation_v1_history WHERE site = _site ORDER BY 1"),
        "types": dict(session.table("observation_v1_history").dtypes),
    }


def trino(lake):
    import duckdb
    import sqlglot
    from sqlglot import exp

    db = duckdb.connect()
    as_of, refreshed = {}, []

    def read(statement):
        return sqlglot.parse_one(statement, dialect="trino")

    def declare(table):
        """A table over files, with the columns and partitions that it is declared with and no others."""
        name = table.find(exp.Table).name
        folder = next(of for of in table.find_all(exp.Property) if of.name == "external_location").args["value"].name
        partitions = [column.name for column in table.find(exp.PartitionedByProperty).this.expressions]
        columns = [column.name for column in table.find_all(exp.ColumnDef)]
        assert columns[-len(partitions) :] == partitions, "Trino wants the partitions last"
        kinds = ", ".join(f"'{column.name}': {column.kind.sql(dialect='duckdb')}" for column in table.find_all(exp.ColumnDef) if column.name in partitions)
        names = ", ".join(f'"{column}"' for column in columns)
        files = f"read_parquet('{folder}/*/*/*.parquet', hive_types = {{{kinds}}})"
        db.execute(f"CREATE VIEW {name} AS SELECT {names} FROM {files}")

    with open(f"{lake}/simulator/_meta/views/trino.sql") as views:
        lines = [line for line in views if not line.startswith("--")]
    for statement in filter(str.strip, "".join(lines).split(";\n")):
        words = statement.split()
        if words[:2] == ["CREATE", "TABLE"]:
            declare(read(statement))
        elif words[0] == "CALL":
            # Trino's own procedure. What it does, finding new partitions, DuckDB does by itself.
            refreshed.append(statement.strip())
        elif words[0] == "PREPARE":
            as_of[words[1]] = read(statement.split("FROM", 1)[1]).sql(dialect="duckdb")
        else:
            db.execute(read(statement).sql(dialect="duckdb"))

    def ask(question, *values):
        return [[plain(value) for value in row] for row in db.execute(question, values).fetchall()]

    first = as_of["observation_v1_as_of"]
    day = datetime.date(2026, 11, 17)
    return {
        "refreshed": sorted(refreshed),
        "sums": ask(f"SELECT {SUMS} FROM observation_v1_history")[0],
        "latest": ask("SELECT _site, record_id, amount FROM observation_v1_latest ORDER BY ALL"),
        "as_of_first": ask(f"SELECT count(*), sum(amount) FROM ({first})", *[day] * first.count("?")),
        "current": ask("SELECT count(*), count(added) FROM observation_latest"),
        "sites": ask("SELECT DISTINCT site FROM observation_v1_history WHERE site = _site ORDER BY 1"),
    }


if __name__ == "__main__":
    _, engine, lake = sys.argv
    try:
        seen = globals()[engine](lake)
    except ModuleNotFoundError:
        sys.exit(9)
    print(json.dumps(seen))
