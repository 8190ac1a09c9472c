"""Size of the stripped program, time of `--help`, memory of an idle simulator."""

import shutil
import subprocess

from measure import DATA, PROGRAM, machine, median, run, table

print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
stripped = DATA / "stripped"
shutil.copy(PROGRAM, stripped)
subprocess.run(["strip", stripped], check=True)
size = stripped.stat().st_size
helps = [run([stripped, "--help"]) for _ in range(21)][1:]
table(
    ["", "measured", "at most"],
    [
        ["release program, stripped", f"{size / 1e6:.2f} MB", "40 MB"],
        ["halo-extract --help, wall", f"{median(c.wall for c in helps) * 1000:.1f} ms", "20 ms"],
        ["halo-extract --help, CPU", f"{median(c.cpu for c in helps) * 1000:.1f} ms", ""],
        ["halo-extract --help, peak", f"{median(c.peak for c in helps):.1f} MiB", ""],
    ],
)
stripped.unlink()
