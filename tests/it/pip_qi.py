"""Runs the measures that ship over a folder of objects: python pip_qi.py FOLDER AS_OF SQL; prints CSV."""

import csv
import sys

import duckdb

lake, as_of, sql = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET VARIABLE lake = '" + lake.replace("'", "''") + "'")
connection.execute("SET VARIABLE as_of = DATE '" + as_of + "'")
with open(sql, encoding="utf-8") as file:
    rows = connection.execute(file.read()).fetchall()
csv.writer(sys.stdout).writerows(rows)
