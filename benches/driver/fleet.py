"""A night of a fleet: ten small queries at each site, for fleets of growing size."""

import argparse
import pathlib
import shutil
import tempfile

from measure import DATA, PROGRAM, cloud, extract, machine, run, simulator, table, write_query
from parts import by_part, own_costs

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--sites", type=int, nargs="+", default=[40, 400, 4_000])
parser.add_argument("--rows", type=int, default=20, help="rows of each result")
parser.add_argument("--at-once", type=int, default=16)
options = parser.parse_args()

QUERIES = 10

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
measured = []
# Removed at the end only: ext4 looks longer for a free inode while many were freed in the last seconds.
with tempfile.TemporaryDirectory(dir=DATA) as all_folders:
    for sites in options.sites:
        folder = pathlib.Path(all_folders) / str(sites)
        folder.mkdir()
        queries = folder / "queries"
        for number in range(QUERIES):
            write_query(queries, f"small_{number}", options.rows)
        with simulator(folder, "--practices", sites) as served:
            environment = served.home(
                folder / "home",
                queries,
                HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE=str(options.at_once),
                HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000",
                HALO_EXTRACT__LIMITS__CALLS_AT_ONCE=str(options.at_once),
                HALO_EXTRACT__HALO__POLL_FIRST="20ms",
            )
            before = served.cpu()
            cost = extract(environment)
            simulated = served.cpu() - before
        assert len(cost.outcomes) == sites * QUERIES
        measured.append((sites * QUERIES, cost, simulated))

table(
    ["planned extractions", "wall s", "a second", "CPU ms each", "of it in the kernel", "simulator's CPU ms each", "peak MiB"],
    [
        [
            f"{count:,}",
            f"{cost.wall:.1f}",
            f"{count / cost.wall:.0f}",
            f"{cost.cpu / count * 1000:.2f}",
            f"{cost.system / count * 1000:.2f}",
            f"{simulated / count * 1000:.2f}",
            f"{cost.peak:.0f}",
        ]
        for count, cost, simulated in measured
    ],
)
for (fewer, less, _), (more, cost, _) in zip(measured, measured[1:]):
    print(f"CPU of an extraction at {more:,} ÷ at {fewer:,}: {(cost.cpu / more) / (less.cpu / fewer):.2f}")


LEDGER = ("SQLite", "SQLite binding", "our code: ledger")
HTTP = ("HTTP (hyper, reqwest, h2, http, url)", "our code: remote", "TLS")


def instructions(folder, rows):
    """Instructions of a night of 200 small extractions by part, the kernel's left out; they need valgrind."""
    for number in range(QUERIES):
        write_query(folder / "queries", f"small_{number}", rows)
    with cloud(folder) as served:
        environment = served.home(folder / "home", folder / "queries", HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000")
        out = folder / "callgrind.out"
        run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--compress-pos=no", PROGRAM, "run", "--output", "json"], environment)
    return by_part(own_costs(out))


if shutil.which("valgrind"):
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        parts = instructions(pathlib.Path(folder), options.rows)
    for name, those in (("ledger", LEDGER), ("HTTP", HTTP)):
        print(f"share of {name} in the instructions outside the kernel: {sum(parts[one] for one in those) / sum(parts.values()):.1%}")
else:
    print("SKIPPED: the shares of ledger and HTTP need valgrind")
