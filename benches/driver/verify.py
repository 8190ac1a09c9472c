"""`output verify` of many objects, by depth: objects a second and peak memory. Ends with 1 when the bound is broken.

The objects are those of a night of ten small queries at each of the sites, extracted from the simulator by the program.
"""

import argparse
import pathlib
import sys
import tempfile

from measure import DATA, PROGRAM, extract, machine, run, simulator, table, write_query

QUERIES = 10
LIMIT_MIB = 150

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--objects", type=int, default=10_000)
parser.add_argument("--rows", type=int, default=200, help="rows of each object")
options = parser.parse_args()

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
sites = max(1, options.objects // QUERIES)
rows, peaks = [], []
with tempfile.TemporaryDirectory(dir=DATA) as folder:
    folder = pathlib.Path(folder)
    queries = folder / "queries"
    for number in range(QUERIES):
        write_query(queries, f"small_{number}", options.rows)
    with simulator(folder, "--practices", sites) as served:
        environment = served.home(
            folder / "home",
            queries,
            HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE="16",
            HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000",
            HALO_EXTRACT__LIMITS__CALLS_AT_ONCE="16",
            HALO_EXTRACT__HALO__POLL_FIRST="20ms",
        )
        published = extract(environment).outcomes
    megabytes = sum(outcome["size_bytes"] for outcome in published) / 1e6
    for depth in ["listing", "footer", "bytes", "rows"]:
        cost = run([PROGRAM, "output", "verify", "--depth", depth, "--output", "json"], environment)
        assert cost.output.strip() == "[]", cost.output
        peaks.append(cost.peak)
        rate = len(published) / cost.wall
        rows.append([depth, f"{rate:,.0f}", f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.peak:.0f}"])
print(f"{len(published):,} objects of {options.rows} rows × 18 columns, {megabytes:.0f} MB in a folder\n")
table(["depth", "objects a second", "wall s", "CPU s", "peak MiB"], rows)
print(f"peak {max(peaks):.0f} MiB (below {LIMIT_MIB})")
sys.exit(0 if max(peaks) < LIMIT_MIB else 1)
