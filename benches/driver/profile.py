"""Where the instructions go, by function and by part: one conversion, or a night of small extractions (callgrind)."""

import argparse
import collections
import pathlib
import re
import tempfile

from measure import DATA, PROGRAM, cloud, programs, run, table, write_query

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("what", choices=["convert", "night"])
parser.add_argument("--rows", type=int, default=200_000)
parser.add_argument("--queries", type=int, default=10, help="at each of 20 sites")
parser.add_argument("--lines", type=int, default=40)
options = parser.parse_args()

# Parts by the names of functions; the first that fits. C has no paths: SQLite is what is left of it.
PARTS = [
    ("our code: convert", r"halo_extract::convert"),
    ("our code: remote", r"halo_extract::remote"),
    ("our code: ledger", r"halo_extract::ledger"),
    ("our code: objects", r"halo_extract::objects"),
    ("our code: the rest", r"halo_extract::"),
    ("zstd", r"^(ZSTD|HUF|FSE|XXH|HIST|COVER|ZBUFF)|zstd"),
    ("Parquet and Arrow", r"parquet|arrow"),
    ("base64", r"base64_simd|vsimd"),
    ("UTF-8 check", r"simdutf8"),
    ("SHA-256", r"sha2|digest::"),
    ("HTTP (hyper, reqwest, h2, http, url)", r"hyper|reqwest|h2::|http::|httparse|url::|tower|idna|flate2|miniz"),
    ("JSON (serde)", r"serde"),
    ("tokio", r"tokio|mio::|futures"),
    ("SQLite binding", r"rusqlite"),
    ("TLS", r"rustls|aws_lc|ring::|webpki"),
    ("regular expressions, time zones, tables", r"regex|aho_corasick|chrono|comfy_table|toml|winnow"),
    ("SQL parser", r"sqlparser"),
    ("Rust's library", r"::"),
]


def part(function, library):
    if "libc" in library or "ld-linux" in library or "libm" in library or "vgpreload" in library:
        return "libc: memory" if re.search(r"mem|malloc|free|alloc|str|int_", function) else "libc: the rest"
    for name, pattern in PARTS:
        if re.search(pattern, function):
            return name
    return "SQLite"


def own_costs(path):
    """Instructions of each function without those it calls, from callgrind's output: (function, library) → count."""
    functions, libraries = {}, {}
    costs = collections.Counter()
    function = library = ""
    skip = False

    def named(names, text):
        number, _, name = text.partition(" ")
        if name:
            names[number] = name
        return names.get(number, number)

    for line in open(path):
        line = line.rstrip("\n")
        if line.startswith("fn="):
            function = named(functions, line[3:])
        elif line.startswith("ob="):
            library = named(libraries, line[3:])
        elif line.startswith("cfn="):
            named(functions, line[4:])
        elif line.startswith("cob="):
            named(libraries, line[4:])
        elif line.startswith("calls="):
            skip = True
        elif line and (line[0].isdigit() or line[0] in "+-*"):
            if not skip:
                costs[(function, library)] += int(line.split()[-1])
            skip = False
    return costs


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
parts = collections.Counter()
for (function, library), cost in costs.items():
    parts[part(function, library)] += cost
table(["part", "share"], [[name, f"{cost / total:.1%}"] for name, cost in parts.most_common()])
table(["function", "millions", "share"], [[function[:110], f"{cost / 1e6:,.1f}", f"{cost / total:.1%}"] for (function, _), cost in costs.most_common(options.lines)])
print(f"{total / 1e6:,.0f} million instructions")
