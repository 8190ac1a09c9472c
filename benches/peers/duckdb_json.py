"""Page files → Parquet by DuckDB: the base64 undone into JSON files, then read_json with the types given.

The best of the formulations that were tried: `from_base64` and `read_json` within SQL, and json_transform, take longer.
"""

import base64
import pathlib
import sys
import tempfile

import duckdb

folder, target = map(pathlib.Path, sys.argv[1:])
with tempfile.TemporaryDirectory(dir=target.parent) as texts:
    for page in sorted(folder.iterdir()):
        body = page.read_bytes()
        (pathlib.Path(texts) / page.name).write_bytes(base64.b64decode(memoryview(body)[9:-2]))
    duckdb.sql("SET threads = 2; SET preserve_insertion_order = true")
    rows = duckdb.sql(
        f"""COPY (SELECT * FROM read_json('{texts}/*.json', format = 'array', columns = {{
            RECORDID: 'INTEGER', INTERNALID: 'INTEGER', VISITID: 'INTEGER', USERID: 'INTEGER',
            OBSERVED: 'TIMESTAMP', CREATED: 'TIMESTAMP', UPDATED: 'TIMESTAMP', CODE: 'SMALLINT',
            VALUE: 'DECIMAL(12,3)', UNIT: 'VARCHAR', REASON: 'VARCHAR', REFERENCE: 'VARCHAR', NOTE: 'VARCHAR',
            ISACTIVE: 'BOOLEAN'}}))
        TO '{target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 131072)"""
    )
