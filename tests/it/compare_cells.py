"""Compares every cell of extracted objects with the source tables, by DuckDB, which wrote neither.

usage: compare_cells.py SOURCE_FOLDER LAKE_FOLDER

For every `<table>.parquet` of SOURCE_FOLDER for which LAKE_FOLDER holds objects of the query of that name, the
multisets of rows must be equal, and every column must have the type that the documented mapping gives. Prints
one line a table; ends with 1 at the first difference.
"""

import pathlib
import sys

import duckdb

ADDED = ["_site", "_window_start", "_window_end", "_extracted_at"]
SAME = {"VARCHAR", "DOUBLE", "DATE", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "INTEGER", "BIGINT", "BOOLEAN"}


def columns(connection, relation):
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def fits(source, extracted):
    """The documented type mapping: equal types, but for text that a query declares a uniqueidentifier."""
    if source.startswith("DECIMAL") or source in SAME:
        return source == extracted or (source == "VARCHAR" and extracted == "UUID")
    return False


def compare(connection, name, source_file, objects):
    source = f"read_parquet('{source_file}')"
    extracted = f"read_parquet({[str(path) for path in objects]}, hive_partitioning = false)"
    expected, found = columns(connection, source), columns(connection, extracted)
    for column in [c for c in found if c.endswith("_offset_minutes")]:
        # A query may ask for a datetimeoffset's offset in a column of its own; the sources are in UTC.
        if connection.execute(f'SELECT count(*) FROM {extracted} WHERE "{column}" <> 0').fetchone()[0]:
            sys.exit(f"{name}.{column}: an offset other than 0 for a time in UTC")
        del found[column]
    if list(found) != list(expected) + ADDED:
        sys.exit(f"{name}: columns differ: {list(found)} is not {list(expected) + ADDED}")
    for column, kind in expected.items():
        if not fits(kind, found[column]):
            sys.exit(f"{name}.{column}: {kind} became {found[column]}")
    left = ", ".join(f'"{c}"' for c in expected)
    right = ", ".join(f'lower("{c}"::VARCHAR) AS "{c}"' if found[c] == "UUID" else f'"{c}"' for c in expected)
    difference = "SELECT count(*) FROM ((SELECT {} FROM {}) EXCEPT ALL (SELECT {} FROM {}))"
    lost = connection.execute(difference.format(left, source, right, extracted)).fetchone()[0]
    gained = connection.execute(difference.format(right, extracted, left, source)).fetchone()[0]
    rows = connection.execute(f"SELECT count(*) FROM {extracted}").fetchone()[0]
    if lost or gained:
        sys.exit(f"{name}: {lost} rows of the source are missing and {gained} rows are not in it")
    print(f"{name}: {rows} rows x {len(expected)} columns equal")


def main():
    source_folder, lake = map(pathlib.Path, sys.argv[1:])
    connection = duckdb.connect()
    compared = 0
    for source_file in sorted(source_folder.glob("*.parquet")):
        objects = sorted(lake.glob(f"*/data/{source_file.stem.lower()}/v1/**/*.parquet"))
        if objects:
            compare(connection, source_file.stem, source_file, objects)
            compared += 1
    print(f"{compared} tables")


main()
