#!/usr/bin/env python3
"""Peak memory of `run` for 200,000 and 2,000,000 rows of 14 columns, through the whole path.

usage: cargo build --release && python3 tests/bench/memory.py [ROWS ROWS]

Starts the simulator, pairs its site, and runs each size in a process of its own; the peak is the resident set that
the operating system accounts to that process. Ends with 1 when a peak is over 200 MB or the two differ by more
than 20 %.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "target" / "release" / "halo-extract"
LIMIT_MB = 200

QUERY = """/*---
purpose = "Rows of the memory benchmark."
owner   = "tests"
pms     = "best-practice"
mode    = "snapshot"
key     = ["id"]

[columns]
id          = {{ type = "int not null", class = "operational" }}
patient     = {{ type = "int not null", class = "operational" }}
provider    = {{ type = "int not null", class = "operational" }}
seen        = {{ type = "datetime not null", class = "quasi" }}
created     = {{ type = "datetime not null", class = "operational" }}
updated     = {{ type = "datetime", class = "operational" }}
fee         = {{ type = "decimal(10,2)", class = "operational" }}
weight      = {{ type = "decimal(6,1)", class = "clinical" }}
code        = {{ type = "varchar(8)", class = "clinical" }}
name        = {{ type = "varchar(40)", class = "clinical" }}
reference   = {{ type = "varchar(20)", class = "operational" }}
remark      = {{ type = "varchar(120)", class = "clinical" }}
flag        = {{ type = "bit not null", class = "operational" }}
status      = {{ type = "int not null", class = "operational" }}
---*/
SELECT s.value AS id,
    s.value % 9973 AS patient,
    s.value % 17 AS provider,
    DATEADD(second, s.value % 86400, CAST('2026-01-01' AS datetime)) AS seen,
    DATEADD(day, s.value % 365, CAST('2025-01-01' AS datetime)) AS created,
    CASE WHEN s.value % 5 = 0 THEN NULL ELSE DATEADD(day, s.value % 365, CAST('2025-06-01' AS datetime)) END AS updated,
    CAST(s.value % 100000 AS decimal(10,2)) / 100 AS fee,
    CASE WHEN s.value % 7 = 0 THEN NULL ELSE CAST(s.value % 1500 AS decimal(6,1)) / 10 END AS weight,
    CONCAT('C', s.value % 300) AS code,
    CONCAT('Condition number ', s.value % 300) AS name,
    CONCAT('REF-', s.value) AS reference,
    CONCAT('A remark of some length about row ', s.value, ' with a "quote" and an umlaut: ü') AS remark,
    CAST(s.value % 2 AS bit) AS flag,
    1 AS status
FROM GENERATE_SERIES(1, {rows}) s
"""


def run(command, environment):
    """Runs a command; its output, wall and CPU seconds, and peak resident megabytes."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed")
    return output, time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    sizes = [int(text) for text in sys.argv[1:]] or [200_000, 2_000_000]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        data = folder / "data"
        data.mkdir()
        (data / "schema.sql").write_text("CREATE TABLE nothing (id int NOT NULL);\n")
        for rows in sizes:
            query = folder / "queries" / f"rows_{rows}" / "v1.sql"
            query.parent.mkdir(parents=True)
            query.write_text(QUERY.format(rows=rows))
        simulator = subprocess.Popen([PROGRAM, "simulate", "--data", data], stdout=subprocess.PIPE)
        try:
            peaks = measure(json.loads(simulator.stdout.readline()), folder, sizes)
        finally:
            simulator.terminate()
            simulator.wait()
    difference = max(peaks) / min(peaks) - 1
    print(f"largest peak {max(peaks):.0f} MB (limit {LIMIT_MB}), difference {difference:.0%} (limit 20 %)")
    sys.exit(0 if max(peaks) < LIMIT_MB and difference <= 0.2 else 1)


def measure(ready, folder, sizes):
    environment = {
        **os.environ,
        "HALO_EXTRACT__HOME": str(folder / "home"),
        "HALO_EXTRACT__ENVIRONMENT": "simulator",
        "HALO_EXTRACT__HALO__URL": ready["url"],
        "HALO_EXTRACT__HALO__POLL_FIRST": "100ms",
        "HALO_EXTRACT__HALO__POLL_LONGEST": "500ms",
        "HALO_EXTRACT__QUERIES": str(folder / "queries"),
        "HALO_SUBSCRIPTION_KEY": ready["subscription_key"],
    }
    site = ready["sites"][0]
    pair = [PROGRAM, "site", "pair", "--pms-id", site["pms_id"], "--code", site["pairing_code"]]
    run(pair, environment)
    run([PROGRAM, "site", "activate", f"s{site['pms_id']}"], environment)
    peaks = []
    for rows in sizes:
        command = [PROGRAM, "run", "--query", f"rows_{rows}", "--output", "json"]
        output, wall, cpu, peak = run(command, environment)
        outcome = json.loads(output)[0]
        assert outcome["rows"] == rows and set(outcome["proof"].values()) == {rows}, outcome
        size_mb = outcome["size_bytes"] / 1e6
        print(f"{rows:>9} rows: peak {peak:.0f} MB, {wall:.1f} s wall, {cpu:.1f} s CPU, object {size_mb:.1f} MB", flush=True)
        peaks.append(peak)
    return peaks


main()
