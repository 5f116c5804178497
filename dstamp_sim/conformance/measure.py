"""Measure: how long the real ops take on this machine, as delay distributions of a scenario."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from dstamp_sim.conformance.keeper import scratch_folder, some_engine
from dstamp_sim.conformance.timings import ABOUT, Measured, time_ops
from dstamp_sim.disk.writing import check_writable, write

__all__ = ["ABOUT", "measure_ops"]


def measure_ops(out: Path, *, times: int = 15, use_docker_host: bool = False) -> tuple[list[Measured], Path]:
    """Measures every real op `times` times, and writes the distributions to `measured-delays.toml` in `out`.

    Raises NoEngine if no engine can start.
    """
    check_writable(out)
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        engine = stack.enter_context(some_engine(use_docker_host=use_docker_host))
        measured = time_ops(folder, engine, times=times)
    file = out / "measured-delays.toml"
    lines = [f"# Durations of real ops with {ABOUT}.", "", "[delays]", *(item.line() for item in measured)]
    write(file, lambda: "\n".join(lines) + "\n")
    return measured, file
