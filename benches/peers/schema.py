"""The Arrow schema of the benchmarks' rows, for the peers that need it."""

import pyarrow as pa

MOMENT = pa.timestamp("us")
SCHEMA = pa.schema(
    [
        ("RECORDID", pa.int32()),
        ("INTERNALID", pa.int32()),
        ("VISITID", pa.int32()),
        ("USERID", pa.int32()),
        ("OBSERVED", MOMENT),
        ("CREATED", MOMENT),
        ("UPDATED", MOMENT),
        ("CODE", pa.int16()),
        ("VALUE", pa.decimal128(12, 3)),
        ("UNIT", pa.string()),
        ("REASON", pa.string()),
        ("REFERENCE", pa.string()),
        ("NOTE", pa.string()),
        ("ISACTIVE", pa.bool_()),
    ]
)
WRITER = {"compression": "zstd", "compression_level": 3}
ROW_GROUP_ROWS = 131_072
