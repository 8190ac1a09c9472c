"""Page files → Parquet as people write it: json, datetime, exact decimals, pyarrow."""

import base64
import datetime
import decimal
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet

from schema import MOMENT, ROW_GROUP_ROWS, SCHEMA, WRITER


def table(rows):
    columns = []
    for field in SCHEMA:
        values = [row[field.name] for row in rows]
        if field.type == MOMENT:
            values = [value and datetime.datetime.fromisoformat(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.table(columns, schema=SCHEMA)


def main():
    folder, target = map(pathlib.Path, sys.argv[1:])
    with pyarrow.parquet.ParquetWriter(target, SCHEMA, **WRITER) as writer:
        waiting, rows = [], 0
        for page in sorted(folder.iterdir()):
            envelope = json.loads(page.read_bytes())
            found = json.loads(base64.b64decode(envelope["data"]), parse_float=decimal.Decimal)
            # A number such as 12 is no float to the parser and still a decimal to the column.
            for row in found:
                if isinstance(row["VALUE"], int):
                    row["VALUE"] = decimal.Decimal(row["VALUE"])
            waiting.append(table(found))
            rows += len(found)
            if rows >= ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
                waiting, rows = [], 0
        if waiting:
            writer.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)


if __name__ == "__main__":
    main()
