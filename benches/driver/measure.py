"""Runs a process and tells what it cost; and the small things that every benchmark needs."""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
TARGET = ROOT / "target"
PROGRAM = pathlib.Path(os.environ.get("HALO_EXTRACT_BENCH_PROGRAM", TARGET / "release" / "halo-extract"))
DATA = TARGET / "bench-data"


class Cost:
    """Wall and CPU seconds, peak resident MiB, and the JSON that the process printed last."""

    def __init__(self, wall, usage, output):
        self.wall = wall
        self.user, self.system = usage.ru_utime, usage.ru_stime
        self.cpu = self.user + self.system
        self.peak = usage.ru_maxrss / 1024
        self.output = output

    @property
    def told(self):
        return json.loads(self.output.strip().splitlines()[-1])


def programs():
    """The program of the benchmarks; `benches/run` has built it."""
    return pathlib.Path(os.environ["HALO_EXTRACT_BENCH_PROGRAMS"])


def peer(name):
    return [sys.executable, BENCHES / "peers" / f"{name}.py"]


def run(command, environment=None, stdin=None):
    began = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(environment or {})},
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{command[0]} ended with {process.returncode}\n{errors.read().decode()[-3000:]}")
    return Cost(wall, usage, output.decode())


def cpu_of(pid):
    """CPU seconds that a living process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_of(pid):
    """Peak resident MiB of a living process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def rounds(candidates, count):
    """Runs every candidate once a round, so that all see the same machine: name → costs in order."""
    costs = {name: [] for name in candidates}
    for number in range(count):
        for name, candidate in candidates.items():
            costs[name].append(candidate())
            print(f"round {number + 1} of {count}: {name}: {costs[name][-1].cpu:.2f} CPU-s", file=sys.stderr)
    return costs


def median(values):
    return statistics.median(values)


def ratio(costs, reference, what):
    """Median of the ratios within each round."""
    return median(getattr(a, what) / getattr(b, what) for a, b in zip(costs, reference))


def table(headings, rows):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [headings, *rows]) for i in range(len(headings))]
    line = lambda row: "| " + " | ".join(
        cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))
    ) + " |"
    print(line(headings))
    print("|" + "|".join("-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)) + "|")
    for row in rows:
        print(line(row))
    print()


def machine():
    """One line about where the figures come from."""
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    load = os.getloadavg()[0]
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split(" (")[0].strip()
    return f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, {compiler}, load {load:.1f} at the start"


class Served:
    """A stand-in for the API as long as the `with` lasts; its ready line is in `ready` and in the file `path`."""

    def __init__(self, command, folder):
        self.command, self.path = command, pathlib.Path(folder) / "ready.json"

    def __enter__(self):
        self.process = subprocess.Popen([str(part) for part in self.command], stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.ready = json.loads(line)
        self.path.write_bytes(line)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu(self):
        return cpu_of(self.process.pid)

    def home(self, folder, queries, **settings):
        """A home with every site of the stand-in, and the environment to use it."""
        home = pathlib.Path(folder)
        home.mkdir(parents=True)
        run([programs(), "sites", self.path, home])
        return {
            "HALO_EXTRACT__HOME": str(home),
            "HALO_EXTRACT__ENVIRONMENT": "simulator",
            "HALO_EXTRACT__HALO__URL": self.ready["url"],
            "HALO_EXTRACT__HALO__POLL_FIRST": "50ms",
            "HALO_EXTRACT__HALO__POLL_LONGEST": "50ms",
            "HALO_EXTRACT__QUERIES": str(queries),
            "HALO_SUBSCRIPTION_KEY": self.ready["subscription_key"],
            "HALO_EXTRACT_PSEUDONYM_KEY": "a key of the benchmarks, used nowhere else",
            **settings,
        }


def simulator(folder, *options):
    """The simulator over an empty practice: the benchmarks' queries make their own rows."""
    data = pathlib.Path(folder) / "data"
    data.mkdir()
    (data / "schema.sql").write_text("CREATE TABLE nothing (id int NOT NULL);\n")
    return Served([PROGRAM, "simulate", "--paired", "--data", data, *options], folder)


def cloud(folder, page_rows=3200):
    """The stand-in that invents pages, for results that nobody wants to store."""
    return Served([programs(), "cloud", page_rows], folder)


COLUMNS = [
    ("RECORDID", "int not null", "s.value"),
    ("INTERNALID", "int not null", "s.value % 19997"),
    ("VISITID", "int", "s.value * 7 % 8999993"),
    ("USERID", "int not null", "s.value % 41"),
    ("OBSERVED", "datetime not null", "DATEADD(second, s.value % 86400, CAST('2026-01-01' AS datetime))"),
    ("CREATED", "datetime not null", "DATEADD(day, s.value % 365, CAST('2025-01-01' AS datetime))"),
    ("UPDATED", "datetime", "CASE WHEN s.value % 3 = 0 THEN DATEADD(day, s.value % 365, CAST('2025-06-01' AS datetime)) END"),
    ("CODE", "smallint not null", "s.value % 397"),
    ("VALUE", "decimal(12,3)", "CASE WHEN s.value % 4 = 0 THEN NULL ELSE CAST(s.value % 300000 AS decimal(12,3)) / 1000 END"),
    ("UNIT", "varchar(12)", "CASE s.value % 3 WHEN 0 THEN 'mmHg' WHEN 1 THEN 'kg' ELSE 'mmol/L' END"),
    ("REASON", "varchar(80)", "CONCAT('Reason for visit ', s.value % 11)"),
    ("REFERENCE", "varchar(24) not null", "CONCAT('R', s.value)"),
    ("NOTE", "nvarchar(max)", "CONCAT('A note of some length about row ', s.value, ' with a \"quote\" and an accent: caf\u00e9')"),
    ("ISACTIVE", "bit not null", "CAST(s.value % 2 AS bit)"),
]


def statement(rows):
    """The SQL of a result of `rows` rows of the benchmarks' 14 columns."""
    values = ",\n    ".join(f"{expression} AS {name}" for name, _, expression in COLUMNS)
    return f"SELECT {values}\nFROM GENERATE_SERIES(1, {rows}) s\n"


def write_query(folder, name, rows):
    keep = lambda kind: ', privacy = "keep"' if "max" in kind else ""
    columns = "\n".join(
        f'{name} = {{ type = "{kind}", class = "operational"{keep(kind)} }}' for name, kind, _ in COLUMNS
    )
    path = pathlib.Path(folder) / name / "v1.sql"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"""/*---
purpose = "Rows of the benchmarks."
owner   = "benches"
pms     = "best-practice"
mode    = "snapshot"
opt_out = "the rows are invented and of nobody"
key     = ["RECORDID"]

[columns]
{columns}
---*/
{statement(rows)}"""
    )


def extract(environment, *options):
    """`run` of the release binary; every outcome must be published and complete."""
    cost = run([PROGRAM, "run", "--output", "json", *options], environment)
    outcomes = json.loads(cost.output)
    for outcome in outcomes:
        assert outcome["state"] == "succeeded" and outcome["proof"]["footer"] == outcome["rows"], outcome
    cost.outcomes = outcomes
    return cost
