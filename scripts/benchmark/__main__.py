"""scripts/bench: measure, and print the table."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mitmproxy.version import VERSION
from rich.console import Console

from benchmark import detection, failover, translation
from benchmark.measure import rounds, warm_up
from benchmark.setups import UNKEPT, Setup, setups
from benchmark.summary import Row, missing, rows, targets
from benchmark.table import (
    Memory,
    detection_notes,
    detection_table,
    failover_notes,
    failover_table,
    notes,
    table,
    translation_table,
)
from tollgate import __version__

ROUNDS, SECONDS = 6, 200.0
QUICK_SECONDS = 30.0
DETECTION_ROUNDS = TRANSLATION_ROUNDS = 3


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as folder, setups(Path(folder)) as running:
        number, result, missed = asyncio.run(_measure(running, QUICK_SECONDS if options.quick else SECONDS))
        memory = {name: setup.memory() for name, setup in running.items() if setup.process and name != UNKEPT}
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("") as status:
        detected = detection.measure(Path(folder), 1 if options.quick else DETECTION_ROUNDS, status.update)
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("") as status:
        failed_over = failover.measure(Path(folder), status.update)
        translated = translation.measure(1 if options.quick else TRANSLATION_ROUNDS, status.update)
    if options.json:
        document = _document(number, result, missed, memory) | {
            "detection": asdict(detected),
            "failover": [asdict(row) for row in failed_over],
            "translation": [asdict(row) for row in translated],
        }
        print(json.dumps(document, indent=2))
    else:
        console = Console(highlight=False)
        console.print(table(result, _title(number)))
        console.print(notes(result, missed, memory), style="dim")
        console.print(detection_table(detected))
        console.print(detection_notes(detected), style="dim")
        console.print(failover_table(failed_over))
        console.print(failover_notes(failed_over), style="dim")
        console.print(translation_table(translated))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure what Tollgate costs.")
    parser.add_argument("--quick", action="store_true", help="take two minutes, not six")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


async def _measure(running: Mapping[str, Setup], seconds: float) -> tuple[int, list[Row], float]:
    console = Console(stderr=True)
    gc.freeze()
    with console.status("warming up") as status:
        await warm_up(running)
        number, samples = await rounds(running, ROUNDS, seconds, status.update)
    return number, rows(samples), missing(samples)


def _title(number: int) -> str:
    return (
        f"Tollgate {__version__}, mitmproxy {VERSION}, Python {platform.python_version()},"
        f" {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, rounds: {number}"
    )


def _document(number: int, result: list[Row], missed: float, memory: Memory) -> dict[str, object]:
    return {
        "versions": {"tollgate": __version__, "mitmproxy": VERSION, "python": platform.python_version()},
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "rounds": number,
        "rows": [asdict(row) for row in result],
        "memory_mb": {name: {"end": end, "peak": peak} for name, (end, peak) in memory.items()},
        "targets": targets(result, missed),
    }


if __name__ == "__main__":
    main()
