"""What two pseudonym columns cost: by themselves, and as a share of the whole conversion."""

import argparse
import shutil

from measure import DATA, machine, median, programs, ratio, rounds, run, table

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rows", type=int, default=10_000_000)
parser.add_argument("--page-rows", type=int, default=2_000_000, help="rows of the conversion")
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()

print(machine(), "\n")
alone = []
for values, whose in ((5_000, "a small practice"), (20_000, "a usual practice"), (200_000, "more than are remembered"), (1 << 30, "all different")):
    told = [run([programs(), "pseudonyms", options.rows, values]).told["cpu_seconds"] for _ in range(options.rounds)]
    alone.append([f"{values:,} patients, 40 providers ({whose})", f"{median(told):.2f}", f"{median(told) / options.rows / 2 * 1e9:.0f}"])
table([f"two columns of {options.rows:,} rows", "CPU s", "ns a value"], alone)

DATA.mkdir(parents=True, exist_ok=True)
pages = DATA / f"pages-{options.page_rows}"
if not pages.exists():
    draft = DATA / "pages-draft"
    shutil.rmtree(draft, ignore_errors=True)
    run([programs(), "pages", draft, options.page_rows])
    draft.rename(pages)
target = DATA / "privacy.parquet"
candidates = {
    "identifiers as they are": lambda: run([programs(), "convert", pages, target]),
    "two pseudonym columns": lambda: run([programs(), "convert", pages, target, "pseudonyms"]),
}
for candidate in candidates.values():
    candidate()
costs = rounds(candidates, options.rounds)
plain = costs["identifiers as they are"]
table(
    [f"convert {options.page_rows:,} rows × 14 columns", "CPU s", "CPU ÷ without"],
    [[name, f"{median(c.cpu for c in cost):.2f}", f"{ratio(cost, plain, 'cpu'):.3f}"] for name, cost in costs.items()],
)
target.unlink()
