"""One result through simulator → client → storage: ours, dlt, an ordinary Python script, and the simulator alone."""

import argparse
import shutil
import tempfile

from measure import DATA, extract, machine, median, peer, programs, ratio, rounds, run, simulator, statement, table, write_query

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--small", type=int, default=200_000, help="rows that all take, dlt too")
parser.add_argument("--large", type=int, default=2_000_000, help="rows without dlt")
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()

print(machine())
DATA.mkdir(parents=True, exist_ok=True)


def measured(served, candidate):
    """The candidate's cost, with the CPU that the simulator used for it."""
    before = served.cpu()
    cost = candidate()
    cost.simulator = served.cpu() - before
    return cost


def compare(folder, served, environment, rows, with_dlt):
    query = folder / f"rows_{rows}.sql"
    query.write_text(statement(rows))

    def alone():
        with query.open() as text:
            return run([programs(), "fetch", served.path, rows], stdin=text)

    def pipeline():
        target = folder / "dlt"
        cost = run([*peer("dlt_pipeline"), served.path, query, target])
        shutil.rmtree(target)
        return cost

    candidates = {
        "simulator alone: fetched and thrown away": alone,
        "halo-extract run": lambda: extract(environment, "--query", f"rows_{rows}", "--again"),
        "requests + pyarrow": lambda: run([*peer("requests_script"), served.path, query, folder / "script.parquet"]),
    }
    if with_dlt:
        candidates["dlt"] = pipeline
    candidates = {name: (lambda c=candidate: measured(served, c)) for name, candidate in candidates.items()}
    costs = rounds(candidates, options.rounds)
    ours, bare = costs["halo-extract run"], costs["simulator alone: fetched and thrown away"]
    table(
        [f"{rows:,} rows", "wall s", "CPU s", "simulator's CPU s", "peak MiB", "wall ÷ ours", "wall ÷ simulator alone"],
        [
            [
                name,
                f"{median(c.wall for c in cost):.2f}",
                f"{median(c.cpu for c in cost):.2f}",
                f"{median(c.simulator for c in cost):.2f}",
                f"{median(c.peak for c in cost):.0f}",
                f"{ratio(cost, ours, 'wall'):.2f}",
                f"{ratio(cost, bare, 'wall'):.2f}",
            ]
            for name, cost in costs.items()
        ],
    )


with tempfile.TemporaryDirectory(dir=DATA) as folder:
    import pathlib

    folder = pathlib.Path(folder)
    queries = folder / "queries"
    for rows in (options.small, options.large):
        write_query(queries, f"rows_{rows}", rows)
    with simulator(folder) as served:
        # The others keep no pace; ours would send at most 200 requests a second.
        environment = served.home(folder / "home", queries, HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000")
        print(f"the simulator makes the rows, spools them and serves them in pages of 1 MB on the same machine\n")
        compare(folder, served, environment, options.small, True)
        compare(folder, served, environment, options.large, False)
