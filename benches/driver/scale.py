"""Planning a night of a large fleet, and how it stands, over a ledger that holds a month of nights."""

import argparse
import datetime
import os
import pathlib
import re
import subprocess
import tempfile
import time

from measure import DATA, PROGRAM, ROOT, machine, programs, run, table

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--sites", type=int, default=4_250)
parser.add_argument("--queries", type=int, default=18, help="of those that run every night")
parser.add_argument("--nights", type=int, default=30)
parser.add_argument("--idle-sites", type=int, default=500)
parser.add_argument("--idle-seconds", type=int, default=130, help="at least two looks of the planner")
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


def idle_memory(sites, seconds):
    """Resident MiB of `serve` over a fleet whose quiet hours are half a day away: it only plans."""
    with tempfile.TemporaryDirectory(dir=DATA) as folder:
        run([programs(), "night", folder, sites, options.queries, 2])
        # Every site of that fleet is ten hours ahead of UTC.
        opens = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=22)).strftime("%H:%M")
        closes = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=23)).strftime("%H:%M")
        service = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0"],
            env={
                **os.environ,
                "HALO_EXTRACT__HOME": folder,
                "HALO_EXTRACT__ENVIRONMENT": "simulator",
                "HALO_EXTRACT__HALO__URL": "http://127.0.0.1:9",
                "HALO_EXTRACT__QUERIES": str(ROOT / "queries"),
                "HALO_EXTRACT__SCHEDULE__QUIET_HOURS": f"{opens}-{closes}",
                "HALO_SUBSCRIPTION_KEY": "a key of the benchmarks",
                "HALO_EXTRACT_PSEUDONYM_KEY": "a key of the benchmarks, used nowhere else",
            },
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(seconds)
            assert service.poll() is None, "serve ended"
            status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
        finally:
            service.terminate()
            service.wait()
        kib = {name: int(value.split()[0]) for name, value in re.findall(r"(VmRSS|VmHWM):\s+(.*)", status)}
        return kib["VmRSS"] / 1024, kib["VmHWM"] / 1024


resident, peak = idle_memory(options.idle_sites, options.idle_seconds)
print(f"serve over {options.idle_sites} sites, idle for {options.idle_seconds} s: {resident:.0f} MiB resident, peak {peak:.0f} MiB")
