"""Page files → Parquet by Polars."""

import base64
import pathlib
import sys

import polars as pl

folder, target = map(pathlib.Path, sys.argv[1:])
# Polars reads no decimal and no timestamp from JSON: both come as text or float and are cast.
schema = {
    "RECORDID": pl.Int32,
    "INTERNALID": pl.Int32,
    "VISITID": pl.Int32,
    "USERID": pl.Int32,
    "OBSERVED": pl.String,
    "CREATED": pl.String,
    "UPDATED": pl.String,
    "CODE": pl.Int16,
    "VALUE": pl.Float64,
    "UNIT": pl.String,
    "REASON": pl.String,
    "REFERENCE": pl.String,
    "NOTE": pl.String,
    "ISACTIVE": pl.Boolean,
}
casts = [pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="us") for name in ("OBSERVED", "CREATED", "UPDATED")]
casts.append(pl.col("VALUE").cast(pl.Decimal(12, 3)))
frames = []
for page in sorted(folder.iterdir()):
    text = base64.b64decode(memoryview(page.read_bytes())[9:-2])
    frames.append(pl.read_json(text, schema=schema).with_columns(casts))
pl.concat(frames).write_parquet(target, compression="zstd", compression_level=3, row_group_size=131_072)
