"""The highest memory of a process. `ru_maxrss` is no use for it: it begins with that of the process that started it."""

from __future__ import annotations

from pathlib import Path


def peak_megabytes(process: int | str = "self") -> float:
    """Resident, so far, in MB; 0 where the process has just ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0) / 1024
