"""Planning a night of a large fleet, and how it stands, over a ledger that holds a month of nights."""

import argparse
import pathlib
import tempfile

from measure import DATA, machine, programs, run, table

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--sites", type=int, default=4_250)
parser.add_argument("--queries", type=int, default=18, help="of those that run every night")
parser.add_argument("--nights", type=int, default=30)
options = parser.parse_args()

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
rows = []
for nights in (0, options.nights):
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        cost = run([programs(), "night", pathlib.Path(folder), options.sites, options.queries, nights])
    told = cost.told
    assert told["planned"] == told["sites"] * told["queries"], told
    assert told["planned_again"] == 0, told
    rows.append(
        [
            f"{told['extractions_before']:,}",
            f"{told['planned']:,}",
            f"{told['planning_seconds']:.2f}",
            f"{told['idle_look_seconds']:.2f}",
            f"{told['status_seconds']:.2f}",
            f"{told['recorded_a_second']:.0f}",
            f"{cost.peak:.0f}",
        ]
    )
table(
    [
        "extractions before",
        "planned",
        "planning s",
        "looking again s",
        "status s",
        "claimed and recorded a second",
        "peak MiB, filling included",
    ],
    rows,
)
