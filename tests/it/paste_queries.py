"""Runs the SQL that the demo tells its reader to paste, exactly as printed.

usage: paste_queries.py FILE_WITH_WHAT_THE_DEMO_PRINTED
"""

import pathlib
import sys

import duckdb

printed = pathlib.Path(sys.argv[1]).read_text()
statements = [text for text in printed[printed.index("-- ") :].split(";") if "SELECT" in text]
for statement in statements:
    rows = duckdb.sql(statement).fetchall()
    if not rows or any(value is None for value in rows[0]):
        sys.exit(f"no rows: {statement}")
print(f"{len(statements)} queries, all with rows")
