"""The regression guard without a clock: instructions of a fixed small conversion and of a fixed small night.

Counted by callgrind, so the load of the machine does not matter, and divided by the instructions of the same
conversion by arrow-json, built by the same compiler and run beside it, so that another compiler or processor moves
both. Ends with 1 when a ratio is more than 10 % above the one in `benches/instructions.json`. After a change that is worth its
cost, or one that saves: `benches/run instructions --renew`.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from measure import BENCHES, DATA, PROGRAM, cloud, programs, run, table, write_query

# Long enough that what happens once does not count: fifteen pages, three batches.
ROWS = 48_000
# The night is measured as the difference of two, so that the start of the program does not count.
QUERIES = (1, 4)
RESULT_ROWS = 20
MOST = 1.10
KEPT = BENCHES / "instructions.json"

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--renew", action="store_true", help="write what is measured as the new reference")
options = parser.parse_args()


def valgrind(tool, pattern, command, environment=None):
    """The number that a tool of valgrind reports about a command."""
    with tempfile.NamedTemporaryFile() as log:
        arguments = ["valgrind", f"--tool={tool}", f"--log-file={log.name}", f"--{tool}-out-file=/dev/null"]
        run([*arguments, *command], environment)
        return int(re.search(pattern, pathlib.Path(log.name).read_text())[1].replace(",", ""))


def instructions(command, environment=None):
    return valgrind("callgrind", r"Collected : (\d+)", command, environment)


def blocks(command):
    return valgrind("dhat", r"Total:\s+[\d,]+ bytes in ([\d,]+) blocks", command)


def night(folder, served, queries):
    """Instructions of one `run` of so many queries at each of the 20 sites, each a small result."""
    texts = folder / f"queries-{queries}"
    for number in range(queries):
        write_query(texts, f"small_{number}", RESULT_ROWS)
    # One at a time and one look each: else the number of calls would depend on the clock.
    environment = served.home(
        folder / f"home-{queries}",
        texts,
        HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE="1",
        HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000",
    )
    return instructions([PROGRAM, "run", "--output", "json"], environment)


DATA.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory(dir=DATA) as folder:
    folder = pathlib.Path(folder)
    for name, rows in (("pages", ROWS), ("twice", 2 * ROWS)):
        run([programs(), "pages", folder / name, rows])
    reference = instructions([programs(), "arrow-json", folder / "pages", folder / "reference.parquet"])
    convert = instructions([programs(), "convert", folder / "pages", folder / "ours.parquet"])
    allocated = [blocks([programs(), "convert", folder / name, folder / "ours.parquet"]) for name in ("pages", "twice")]
    with cloud(folder) as served:
        sites = len(served.ready["sites"])
        few, many = (night(folder, served, queries) for queries in QUERIES)
extraction = (many - few) / (sites * (QUERIES[1] - QUERIES[0]))

measured = {"convert": convert / reference, "extraction": extraction / reference}
kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
table(
    ["instructions", "millions", "÷ reference", "÷ the ratio kept (at most 1.10)"],
    [
        [f"reference: arrow-json, {ROWS:,} rows", f"{reference / 1e6:,.0f}", "1", ""],
        *(
            [name, f"{measured[key] * reference / 1e6:,.1f}", f"{measured[key]:.5f}", f"{measured[key] / kept[key]:.3f}" if key in kept else "none"]
            for key, name in (("convert", "convert the same rows"), ("extraction", "one small extraction of a night"))
        ),
    ],
)
per_row = (allocated[1] - allocated[0]) / ROWS
print(f"allocations of a row in steady state: {per_row:.4f} ({allocated[0]:,} for {ROWS:,} rows, {allocated[1]:,} for twice as many)")

if options.renew:
    KEPT.write_text(json.dumps({key: float(f"{value:.5g}") for key, value in measured.items()}, indent=2) + "\n")
    print(f"written to {KEPT}")
    sys.exit(0)
broken = [key for key in measured if measured[key] > kept.get(key, 0) * MOST]
for key in broken:
    print(f"REGRESSION: {key}: more than {MOST} times the ratio in benches/instructions.json, or none is kept there")
if per_row > 0.05:
    broken.append("allocations")
    print("REGRESSION: something is allocated for single rows")
sys.exit(1 if broken else 0)
