"""Page files → one Parquet file: ours, the peers, and the bare stages."""

import argparse
import shutil

from measure import DATA, machine, median, peer, programs, ratio, rounds, run, table

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rows", type=int, default=2_000_000)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--only", nargs="*", help="peers to run; all if absent")
options = parser.parse_args()

print(f"{machine()}")
DATA.mkdir(parents=True, exist_ok=True)
pages = DATA / f"pages-{options.rows}"
if not pages.exists():
    draft = DATA / "pages-draft"
    shutil.rmtree(draft, ignore_errors=True)
    run([programs(), "pages", draft, options.rows])
    draft.rename(pages)
out = DATA / "out"
shutil.rmtree(out, ignore_errors=True)
out.mkdir()
json_bytes = sum(file.stat().st_size for file in pages.iterdir()) * 3 / 4
print(f"{options.rows:,} rows × 14 columns in {sum(1 for _ in pages.iterdir())} page files, {json_bytes / 1e6:.0f} MB of row JSON\n")

commands = {
    "halo-extract": [programs(), "convert", pages, out / "ours.parquet"],
    "halo-extract, two pseudonyms": [programs(), "convert", pages, out / "pseudonyms.parquet", "pseudonyms"],
    "arrow-json": [programs(), "arrow-json", pages, out / "arrow-json.parquet"],
    "DuckDB": [*peer("duckdb_json"), pages, out / "duckdb.parquet"],
    "pyarrow.json": [*peer("pyarrow_json"), pages, out / "pyarrow.parquet"],
    "Polars": [*peer("polars_json"), pages, out / "polars.parquet"],
    "orjson + pyarrow": [*peer("orjson_pyarrow"), pages, out / "orjson.parquet"],
    "plain Python": [*peer("plain_python"), pages, out / "plain.parquet"],
}
if options.only is not None:
    commands = {name: c for name, c in commands.items() if name.startswith("halo") or name in options.only}


def cached(command):
    """Runs it with every page file in memory, wherever the disk's cache, or the host, let it go meanwhile."""
    for file in pages.iterdir():
        file.read_bytes()
    return run(command)


# One run of each that does not count, so that programs are in memory for all, too; it shows that all agree.
for command in commands.values():
    run(command)
stages = {"bare stages": [programs(), "stages", pages, out / "ours.parquet"]}
taking_turns = {name: (lambda command=command: cached(command)) for name, command in (commands | stages).items()}
costs = rounds(taking_turns, options.rounds)
told = [cost.told for cost in costs.pop("bare stages")]

ours = costs["halo-extract"]
size = {name: command[3].stat().st_size for name, command in commands.items()}
table(
    ["convert", "CPU s", "wall s", "peak MiB", "file MB", "CPU ÷ ours", "wall ÷ ours", "file ÷ ours"],
    [
        [
            name,
            f"{median(c.cpu for c in cost):.2f}",
            f"{median(c.wall for c in cost):.2f}",
            f"{median(c.peak for c in cost):.0f}",
            f"{size[name] / 1e6:.1f}",
            f"{ratio(cost, ours, 'cpu'):.2f}",
            f"{ratio(cost, ours, 'wall'):.2f}",
            f"{size[name] / size['halo-extract']:.2f}",
        ]
        for name, cost in costs.items()
    ],
)

stage = {name: median(one[name] for one in told) for name in told[0]}
names = {
    "read": "read the files",
    "base64": "base64, in place",
    "utf8": "UTF-8 checked",
    "quotes": "ends of strings found, no more",
    "scan": "JSON checked by serde_json, nothing kept",
    "convert": "our converter, to batches",
    "encode": "Parquet encode of the batches",
    "digest": "SHA-256 of the object",
}
table(["bare stage, one thread", "CPU s"], [[text, f"{stage[name]:.3f}"] for name, text in names.items()])


def beside(title, *parts):
    """The sum of some stages, and the median of ours ÷ that sum within each round."""
    sums = [sum(one[part] for part in parts) for one in told]
    return [title, f"{median(sums):.2f}", f"{median(cost.cpu / bare for cost, bare in zip(ours, sums)):.2f}"]


table(
    ["ours ÷ sum of stages", "sum CPU s", "ratio"],
    [
        beside("read + base64 + JSON check + encode", "read", "base64", "scan", "encode"),
        beside("read + base64 + our converter + encode + SHA-256", "read", "base64", "convert", "encode", "digest"),
    ],
)
shutil.rmtree(out)
