"""The page of ten thousand hosts: its size, and how long it takes to make and to open in Chromium.

Run it with `python bench/reports.py`; figures are medians of five, side by side with an empty page.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HOSTS = 10_000
ROUNDS = 5


def main() -> None:
    """Prints every figure with its goal."""
    from advisor.report import formats  # noqa: PLC0415
    from tests.browser import CHROMIUM, Browser  # noqa: PLC0415
    from tests.test_report_fleet_html import many  # noqa: PLC0415

    fleet = many(HOSTS)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {HOSTS} hosts\n")
    for form in formats.FLEET:
        began = time.process_time()
        text = formats.fleet(form, fleet)
        print(f"{form:<12} {len(text.encode()) / 1e6:5.1f} MB, made in {time.process_time() - began:.2f} s of CPU")
    if CHROMIUM is None:
        print("Chromium is not installed, so nothing was opened")
        return
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        large, empty = Path(folder, "large.html"), Path(folder, "empty.html")
        large.write_text(formats.fleet("html", fleet), encoding="utf-8")
        empty.write_text("<!doctype html><title>empty</title>", encoding="utf-8")
        taken = [(browser.open(large), browser.open(empty)) for _ in range(ROUNDS)]
    page, bare = (median(times) for times in zip(*taken, strict=True))
    print(f"\nopened in {page:.2f} s, an empty page in {bare:.2f} s   goal: < 5 MB and < 2 s on an idle machine")


if __name__ == "__main__":
    main()
