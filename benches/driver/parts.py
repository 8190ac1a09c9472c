"""Parts of the program by the names of functions, and what callgrind counted for each function."""

import collections
import re

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


def by_part(costs):
    """Instructions of each part, the largest first."""
    parts = collections.Counter()
    for (function, library), cost in costs.items():
        parts[part(function, library)] += cost
    return parts
