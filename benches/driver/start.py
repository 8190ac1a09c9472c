"""Size of the stripped program and time of `--help`. Ends with 1 when a bound is broken."""

import shutil
import subprocess
import sys

from measure import DATA, PROGRAM, machine, median, run, table

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
stripped = DATA / "stripped"
shutil.copy(PROGRAM, stripped)
subprocess.run(["strip", stripped], check=True)
size = stripped.stat().st_size
LIMIT_MB, LIMIT_MS = 40, 20
helps = [run([stripped, "--help"]) for _ in range(21)][1:]
wall = median(c.wall for c in helps)
table(
    ["", "measured", "at most"],
    [
        ["release program, stripped", f"{size / 1e6:.2f} MB", f"{LIMIT_MB} MB"],
        ["halo-extract --help, wall", f"{wall * 1000:.1f} ms", f"{LIMIT_MS} ms"],
        ["halo-extract --help, CPU", f"{median(c.cpu for c in helps) * 1000:.1f} ms", ""],
        ["halo-extract --help, peak", f"{median(c.peak for c in helps):.1f} MiB", ""],
    ],
)
stripped.unlink()
sys.exit(0 if size < LIMIT_MB * 1e6 and wall * 1000 < LIMIT_MS else 1)
