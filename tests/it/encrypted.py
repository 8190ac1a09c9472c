"""Reads an encrypted object and prints what it sees as one line of JSON.

Usage: encrypted.py READER KEY OBJECT, where READER is pyarrow, duckdb, polars or datafusion. Exit code 9: it is not
installed.
"""

import json
import sys


def pyarrow(key, path):
    import pyarrow.parquet
    import pyarrow.parquet.encryption as encryption

    def read(properties):
        return pyarrow.parquet.ParquetFile(path, decryption_properties=properties)

    def refused(properties):
        try:
            read(properties).read()
        except Exception:
            return "refused"
        return "read"

    with_key = lambda key: encryption.create_decryption_properties(footer_key=key)
    file = read(with_key(key))
    table = file.read()
    weights = table["weight"].to_pylist()
    return {
        "ids": table["id"].to_pylist(),
        "weights": [None if weight is None else str(weight) for weight in weights],
        "query": file.metadata.metadata[b"halo_extract.query"].decode(),
        "without the key": refused(None),
        "with another key": refused(with_key(bytes(32))),
    }


def asked(reading):
    try:
        reading()
    except ModuleNotFoundError:
        raise
    except Exception:
        return {"answer": "refused"}
    return {"answer": "read"}


def duckdb(key, path):
    import duckdb

    db = duckdb.connect()

    def reading():
        db.execute(f"PRAGMA add_parquet_key('key', '{key.hex()}')")
        db.execute(f"SELECT * FROM read_parquet('{path}', encryption_config = {{footer_key: 'key'}})").fetchall()

    def with_base64():
        import base64

        db.execute(f"PRAGMA add_parquet_key('other', '{base64.b64encode(key).decode()}')")
        db.execute(f"SELECT * FROM read_parquet('{path}', encryption_config = {{footer_key: 'other'}})").fetchall()

    answers = [asked(reading), asked(with_base64)]
    return {"answer": "read" if {"answer": "read"} in answers else "refused"}


def polars(key, path):
    import polars

    return asked(lambda: polars.read_parquet(path))


def datafusion(key, path):
    import datafusion

    return asked(lambda: datafusion.SessionContext().read_parquet(path).collect())


if __name__ == "__main__":
    _, reader, key, path = sys.argv
    try:
        seen = globals()[reader](bytes.fromhex(key), path)
    except ModuleNotFoundError:
        sys.exit(9)
    print(json.dumps(seen))
