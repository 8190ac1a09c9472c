"""A large fleet: planning its night, how it stands, and a night of small extractions as fast as they go.

Three tables. The first two are over ledgers without and with a month of nights; the third holds a night of `serve`
against what the simulator answers to the same requests when nothing else is done with them.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

from measure import DATA, PROGRAM, ROOT, machine, median, programs, run, simulator, statement, table, write_query

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--sites", type=int, default=4_000)
parser.add_argument("--queries", type=int, default=19)
parser.add_argument("--nights", type=int, default=30)
parser.add_argument("--recorded", type=int, help="extractions of the next night that are claimed and recorded; all if absent")
parser.add_argument("--idle-sites", type=int, default=500)
parser.add_argument("--idle-seconds", type=int, default=130, help="at least two looks of the planner")
parser.add_argument("--fleet-sites", type=int, default=400)
parser.add_argument("--fleet-queries", type=int, default=10, help="small queries at each of them")
parser.add_argument("--at-once", type=int, default=64, help="extractions of the fleet's night at once, and queries of the load")
parser.add_argument("--latency", default="20ms", help="of each answer of the simulator")
parser.add_argument("--rounds", type=int, default=3, help="of the fleet's night and the load in turns")
parser.add_argument("--only", choices=["ledger", "idle", "fleet"])
options = parser.parse_args()


class Limits:
    """The figures that must hold, and those that did not."""

    def __init__(self):
        self.broken = []

    def hold(self, what, figure, limit, unit):
        print(f"{what}: {figure:.2f} {unit}, limit {limit} {unit}{'' if figure < limit else '  EXCEEDED'}")
        if figure >= limit:
            self.broken.append(what)


def environment(home, queries, **settings):
    return {
        "HALO_EXTRACT__HOME": str(home),
        "HALO_EXTRACT__ENVIRONMENT": "simulator",
        "HALO_EXTRACT__HALO__URL": "http://127.0.0.1:9",
        "HALO_EXTRACT__QUERIES": str(queries),
        "HALO_SUBSCRIPTION_KEY": "a key of the benchmarks",
        "HALO_EXTRACT_PSEUDONYM_KEY": "a key of the benchmarks, used nowhere else",
        **settings,
    }


def ledgers(limits):
    """Planning, the state of the fleet, and recording, over an empty ledger and over a month."""
    rows = []
    for nights in (0, options.nights):
        with tempfile.TemporaryDirectory(dir=DATA) as folder:
            filled = run([programs(), "night", "fill", folder, options.sites, options.queries, nights])
            plan = run([programs(), "night", "plan", folder, options.queries])
            planned = options.sites * options.queries
            assert plan.told["planned"] == planned, plan.told
            assert plan.told["planned_again"] == 0, plan.told
            recorded = options.recorded or planned
            work = run([programs(), "night", "work", folder, recorded])
            assert work.told["recorded"] == recorded, work.told
            queries = ROOT / "queries"
            status = run([PROGRAM, "status", "--output", "json"], environment(folder, queries))
            assert sum(row["sites"] for row in json.loads(status.output)) >= planned
            counts = run([PROGRAM, "status", "--counts", "--output", "json"], environment(folder, queries))
            known = sum(row["extractions"] for row in json.loads(counts.output))
            assert known == filled.told["extractions"] + planned, counts.output
            rows.append(
                [
                    f"{filled.told['extractions']:,}",
                    f"{planned:,}",
                    f"{plan.told['planning_seconds']:.2f}",
                    f"{plan.peak:.0f}",
                    f"{plan.told['idle_look_seconds']:.2f}",
                    f"{work.told['seconds']:.0f}",
                    f"{recorded / work.told['seconds']:.0f}",
                    f"{status.wall:.2f}",
                    f"{counts.wall:.2f}",
                    f"{(pathlib.Path(folder) / 'ledger.sqlite').stat().st_size / 1e6:.0f}",
                ]
            )
    table(
        [
            "extractions before",
            "planned",
            "planning s",
            "its peak MiB",
            "looking again s",
            "recording the night s",
            "recorded a second",
            "`status` s",
            "`status --counts` s",
            "ledger MB",
        ],
        rows,
    )
    limits.hold("planning a night", plan.told["planning_seconds"], 2, "s")
    limits.hold("memory of planning", plan.peak, 300, "MiB")
    limits.hold("status", status.wall, 1, "s")


def idle(limits):
    """Resident MiB of `serve`, run as in `config/deploy`, over a fleet whose quiet hours are half a day away: it only plans."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        run([programs(), "night", "fill", folder, options.idle_sites, options.queries, 2])
        # Every site of that fleet is ten hours ahead of UTC.
        hour = lambda hours: (
            datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        ).strftime("%H:%M")
        service = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0"],
            env={
                **os.environ,
                **environment(folder, ROOT / "queries", HALO_EXTRACT__SCHEDULE__QUIET_HOURS=f"{hour(22)}-{hour(23)}"),
                "MALLOC_ARENA_MAX": "2",
            },
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(options.idle_seconds)
            assert service.poll() is None, "serve ended"
            status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
        finally:
            service.terminate()
            service.wait()
    kib = {name: int(value.split()[0]) for name, value in re.findall(r"(VmRSS|VmHWM):\s+(.*)", status)}
    print(f"serve over {options.idle_sites} sites for {options.idle_seconds} s: peak {kib['VmHWM'] / 1024:.0f} MiB")
    limits.hold("idle memory of serve", kib["VmRSS"] / 1024, 60, "MiB")


def counted(served):
    """Requests that the simulator received since the last time, by endpoint."""
    address = f"{served.ready['url']}/simulator/counters"
    with urllib.request.urlopen(address) as answer:
        sites = json.load(answer)
    urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()
    found = {}
    for site in sites.values():
        for endpoint, counts in site.items():
            found[endpoint] = found.get(endpoint, 0) + counts["received"]
    return found


def night(served, folder, queries):
    """Seconds of `serve` from its start until the last extraction stands, and its CPU seconds."""
    extractions = options.fleet_sites * options.fleet_queries
    env = served.home(
        folder,
        queries,
        HALO_EXTRACT__LIMITS__EXTRACTIONS_AT_ONCE=str(options.at_once),
        HALO_EXTRACT__LIMITS__CALLS_AT_ONCE=str(options.at_once),
        HALO_EXTRACT__LIMITS__CALLS_PER_SECOND="100000",
        HALO_EXTRACT__HALO__POLL_FIRST="20ms",
        HALO_EXTRACT__SCHEDULE__SPREAD="0s",
        HALO_EXTRACT__SCHEDULE__QUIET_HOURS="00:00-00:00",
    )
    ledger = sqlite3.connect(f"file:{pathlib.Path(folder) / 'ledger.sqlite'}?mode=ro", uri=True)
    began = time.monotonic()
    service = subprocess.Popen(
        [PROGRAM, "serve", "--listen", "127.0.0.1:0"], env={**os.environ, **env}, stderr=subprocess.DEVNULL
    )
    try:
        done = 0
        while done < extractions:
            time.sleep(0.1)
            assert service.poll() is None, "serve ended"
            assert time.monotonic() - began < 600, f"{done} of {extractions} extractions after ten minutes"
            (done,) = ledger.execute("SELECT count(*) FROM extraction WHERE state = 'succeeded'").fetchone()
        seconds = time.monotonic() - began
    finally:
        service.terminate()
        _, _, usage = os.wait4(service.pid, 0)
    return seconds, usage.ru_utime + usage.ru_stime


def fleet(limits):
    """A night of `serve` and the same requests alone, in turns."""
    extractions = options.fleet_sites * options.fleet_queries
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        folder = pathlib.Path(folder)
        queries = folder / "queries"
        for number in range(options.fleet_queries):
            write_query(queries, f"small_{number}", 20)
            file = queries / f"small_{number}" / "v1.sql"
            file.write_text(file.read_text().replace("key     =", 'cron    = "0 0 * * *"\nkey     =', 1))
        scenario = folder / "latency.toml"
        scenario.write_text(f'[[fault]]\nkind = "delay"\ntime = "{options.latency}"\n')
        question = folder / "question.sql"
        question.write_text(statement(20))
        with simulator(folder, "--practices", options.fleet_sites, "--scenario", scenario) as served:
            counted(served)
            rows, ratios = [], []
            for number in range(options.rounds):
                before = served.cpu()
                with question.open() as asked:
                    command = [programs(), "load", served.path, options.fleet_queries, options.at_once, 20]
                    load = run(command, stdin=asked)
                assert load.told["extractions"] == extractions, load.told
                alone, load_cpu, load_requests = load.told["seconds"], served.cpu() - before, counted(served)
                before = served.cpu()
                seconds, cpu = night(served, folder / f"home-{number}", queries)
                night_cpu, requests = served.cpu() - before, counted(served)
                ratios.append(alone / seconds)
                told = lambda found: " ".join(f"{name} {count / extractions:.2f}" for name, count in sorted(found.items()))
                each = lambda seconds: f"{seconds / extractions * 1000:.2f}"
                rows += [
                    ["the simulator alone", f"{extractions / alone:.0f}", each(load.cpu), each(load_cpu), told(load_requests)],
                    ["a night of serve", f"{extractions / seconds:.0f}", each(cpu), each(night_cpu), told(requests)],
                ]
    table(["", "extractions a second", "CPU ms each", "simulator's CPU ms each", "requests each"], rows)
    print(f"{extractions:,} extractions at {options.fleet_sites} sites, {options.at_once} at once, each answer after {options.latency}")
    limits.hold("the simulator's rate ÷ the night's", 1 / median(ratios), 2, "times")


print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
limits = Limits()
for name, part in (("ledger", ledgers), ("idle", idle), ("fleet", fleet)):
    if options.only in (None, name):
        part(limits)
        print()
if limits.broken:
    raise SystemExit(f"not held: {', '.join(limits.broken)}")
