"""Page files → Parquet by pyarrow.json, which reads rows but no array of them: the commas between rows become lines."""

import base64
import io
import pathlib
import sys

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet

from schema import ROW_GROUP_ROWS, SCHEMA, WRITER

folder, target = map(pathlib.Path, sys.argv[1:])
reading = pyarrow.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="error")
blocks = pyarrow.json.ReadOptions(block_size=4 << 20)
with pyarrow.parquet.ParquetWriter(target, SCHEMA, **WRITER) as writer:
    waiting, rows = [], 0
    for page in sorted(folder.iterdir()):
        text = base64.b64decode(memoryview(page.read_bytes())[9:-2])
        lines = text[1:-1].replace(b"},{", b"}\n{")
        waiting.append(pyarrow.json.read_json(io.BytesIO(lines), blocks, reading))
        rows += waiting[-1].num_rows
        if rows >= ROW_GROUP_ROWS:
            writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
            waiting, rows = [], 0
    if waiting:
        writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
