"""Peak memory of `run`: long results, and many at once. Ends with 1 when a bound is broken.

The pages are invented when they are asked for (`programs cloud`), so that nothing of the result is ever stored
whole, and the objects go to a folder.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

from measure import DATA, cloud, extract, machine, table, write_query

# A row of the benchmarks is about 300 bytes of JSON.
ROW_BYTES = 300
LIMIT_MIB = 150
LIMIT_GROWTH = 1.2

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--gigabytes", type=float, nargs="+", default=[0.5, 5.0])
parser.add_argument("--at-once", type=int, default=20)
parser.add_argument("--megabytes", type=float, default=50, help="size of each of the results at once")
parser.add_argument("--runs", type=int, default=1, help="the largest peak of so many counts")
options = parser.parse_args()

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
rows, peaks = [], []
with tempfile.TemporaryDirectory(dir=DATA) as folder:
    folder = pathlib.Path(folder)
    queries = folder / "queries"
    sizes = [int(size * 1e9 / ROW_BYTES) for size in options.gigabytes]
    small = int(options.megabytes * 1e6 / ROW_BYTES)
    for count in {*sizes, small}:
        write_query(queries, f"rows_{count}", count)
    with cloud(folder) as served:
        environment = served.home(folder / "home", queries)
        site = f"s{served.ready['sites'][0]['pms_id']}"
        for size, count in zip(options.gigabytes, sizes):
            costs = []
            for _ in range(options.runs):
                costs.append(extract(environment, "--site", site, "--query", f"rows_{count}", "--again"))
                shutil.rmtree(folder / "home" / "lake")
            peaks.append(max(cost.peak for cost in costs))
            rows.append([f"one result of {size:g} GB", f"{peaks[-1]:.0f}", f"{costs[-1].cpu:.1f}", f"{costs[-1].wall:.1f}"])
        environment["HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE"] = str(options.at_once)
        cost = extract(environment, "--query", f"rows_{small}")
        assert len(cost.outcomes) == len(served.ready["sites"])
        rows.append([f"{options.at_once} results of {options.megabytes:g} MB at once", f"{cost.peak:.0f}", f"{cost.cpu:.1f}", f"{cost.wall:.1f}"])
table(["run", "peak MiB", "CPU s", "wall s"], rows)
growth = max(peaks) / min(peaks)
print(f"largest ÷ smallest: {growth:.2f} (at most {LIMIT_GROWTH}); largest {max(peaks):.0f} MiB (below {LIMIT_MIB})")
sys.exit(0 if growth <= LIMIT_GROWTH and max(peaks) < LIMIT_MIB else 1)
