"""Where the instructions go, by function and by part: one conversion, or a night of small extractions (callgrind)."""

import argparse
import pathlib
import tempfile

from measure import DATA, PROGRAM, cloud, programs, run, table, write_query
from parts import by_part, own_costs

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("what", choices=["convert", "night"])
parser.add_argument("--rows", type=int, default=200_000)
parser.add_argument("--queries", type=int, default=10, help="at each of 20 sites")
parser.add_argument("--lines", type=int, default=40)
options = parser.parse_args()

DATA.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory(dir=DATA) as folder:
    folder = pathlib.Path(folder)
    out = folder / "callgrind.out"
    counted = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--compress-pos=no"]
    if options.what == "convert":
        run([programs(), "pages", folder / "pages", options.rows])
        run([*counted, programs(), "convert", folder / "pages", folder / "ours.parquet"])
    else:
        for number in range(options.queries):
            write_query(folder / "queries", f"small_{number}", 20)
        with cloud(folder) as served:
            environment = served.home(folder / "home", folder / "queries", HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000")
            run([*counted, PROGRAM, "run", "--output", "json"], environment)
    costs = own_costs(out)

total = sum(costs.values())
table(["part", "share"], [[name, f"{cost / total:.1%}"] for name, cost in by_part(costs).most_common()])
table(["function", "millions", "share"], [[function[:110], f"{cost / 1e6:,.1f}", f"{cost / total:.1%}"] for (function, _), cost in costs.most_common(options.lines)])
print(f"{total / 1e6:,.0f} million instructions")
