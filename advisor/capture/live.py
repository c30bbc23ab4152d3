"""Take a capture of the running host: cheap, without a daemon, without waiting for anything but the window.

A tick reads the few files that change all the time, through descriptors that stay open. Everything dearer is
read at the edges of the window, or once before it. Raw bytes are kept during the window and decoded after it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from errno import ENOENT
from typing import TYPE_CHECKING, NamedTuple, Self

from advisor.capture.files import FILES, linkable, patterns
from advisor.capture.folder import FolderStore, HostStore, drain
from advisor.capture.model import Capture, Cost, Process, Sample
from advisor.capture.tree import Tree, decode, reason
from advisor.errors import CaptureError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

MAX_SAMPLES = 10_000  # of some 12 KiB each
_LOG = "log/kernel.txt"
_PROCESSES = "proc/PID/status"

Progress = Callable[[float, float], None]


class TickReader:
    """Reads the files of a tick again and again, through descriptors that stay open.

    Args:
        root: the root of the host.
        paths: what to read; by default what `files.FILES` says.

    Attributes:
        unread: why a file is left out, by path.
        files_read: files read so far.
        bytes_read: bytes read so far.
    """

    def __init__(self, root: str = "/", paths: Iterable[str] | None = None) -> None:
        self.unread: dict[str, str] = {}
        self.files_read = 0
        self.bytes_read = 0
        self._open: dict[str, int] = {}
        for path in patterns("tick") if paths is None else paths:
            try:
                self._open[path] = os.open(f"{root.rstrip('/')}/{path}", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except OSError as error:
                self.unread[path] = reason(error)

    def read(self) -> dict[str, bytes]:
        """The bytes of each file now; a file that cannot be read is left out."""
        texts = {}
        for path, descriptor in self._open.items():
            try:
                texts[path] = text = drain(descriptor)
            except OSError as error:
                self.unread[path] = reason(error)
            else:
                self.bytes_read += len(text)
        self.files_read += len(texts)
        return texts

    def close(self) -> None:
        """Close the descriptors."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Clock(NamedTuple):
    """The clocks of a host; tests put their own in place.

    Attributes:
        now: seconds on CLOCK_MONOTONIC.
        wall: seconds since the epoch.
        sleep: waits for so many seconds.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


_REAL = Clock()


def capture_live(  # noqa: PLR0913 (each is a choice of the caller's)
    window_s: float,
    samples: int = 2,
    *,
    root: str = "/",
    progress: Progress | None = None,
    processes: bool = True,
    clock: Clock = _REAL,
) -> Capture:
    """Measure a host over a window.

    Ctrl-C ends the window: with two samples or more they are kept, otherwise KeyboardInterrupt goes on.

    Args:
        window_s: seconds from the first sample to the last; 0 with a single sample.
        samples: how many, evenly spaced.
        root: the root of the host, for example a mount of it in a container.
        progress: called with the seconds waited and the seconds in all, about once a second.
        processes: whether to look for the largest processes.
        clock: the clocks.

    Raises:
        UsageError: the window or the number of samples is impossible.
        CaptureError: there is no /proc of Linux below `root`.
    """
    _check(window_s, samples)
    before = _cpu_s()
    with TickReader(root) as ticks:
        if "proc/vmstat" in ticks.unread and "proc/meminfo" in ticks.unread:
            why = ticks.unread["proc/vmstat"]
            raise CaptureError(f"cannot read {root.rstrip('/')}/proc/vmstat: {why}", "give a capture of a Linux host")
        watch = _Watch(root, ticks, clock, progress)
        once = watch.tree.read_all(path for pattern in patterns("once") for path in watch.tree.expand(pattern))
        links = watch.tree.links(linkable())
        watch.run(window_s, samples)
        taken = watch.samples(once)
        unread = watch.unread()
    log, found = _beside(root, unread, watch.notes, processes=processes)
    store = watch.tree.store
    return Capture(
        samples=taken,
        host=once.get("proc/sys/kernel/hostname", "").strip(),
        how="live",
        source="this host" if root == "/" else root,
        kernel_log=log,
        processes=found,
        cost=Cost(
            cpu_s=_cpu_s() - before,
            bytes_read=store.bytes_read + ticks.bytes_read,
            files_read=store.files_read + ticks.files_read,
            samples=len(taken),
        ),
        unread=unread,
        links=links,
        notes=(*watch.tree.notes, *watch.notes),
    )


class _Moment(NamedTuple):
    monotonic_s: float
    wall_s: float
    tick: dict[str, bytes]
    edge: dict[str, str]


# The course of one window.
class _Watch:
    def __init__(self, root: str, ticks: TickReader, clock: Clock, progress: Progress | None) -> None:
        # Below another root than our own, absolute links must not lead to our own files.
        self.tree = Tree(HostStore() if root == "/" else FolderStore(root))
        self.notes: list[str] = []
        self._ticks = ticks
        self._clock = clock
        self._progress = progress
        self._moments: list[_Moment] = []
        self._edges = [path for pattern in patterns("edge") for path in self.tree.expand(pattern)]

    def run(self, window_s: float, samples: int) -> None:
        start = self._clock.now()
        try:
            for number in range(samples):
                self._wait(start, window_s * number / max(1, samples - 1), window_s)
                self._take(at_edge=number in {0, samples - 1})
            if self._progress is not None:
                self._progress(window_s, window_s)
        except KeyboardInterrupt:
            if len(self._moments) < 2:
                raise
            self._take(at_edge=True)  # so that zones and groups have a second reading too
            self.notes.append(f"interrupted after {self._clock.now() - start:.1f} s of {window_s:g} s")

    def samples(self, once: dict[str, str]) -> tuple[Sample, ...]:
        return tuple(
            Sample(
                {path: decode(text) for path, text in moment.tick.items()} | moment.edge | (once if not number else {}),
                moment.monotonic_s,
                moment.wall_s,
            )
            for number, moment in enumerate(self._moments)
        )

    # What is missing below a pattern (a group that is gone, a size without that file) is not worth a word.
    def unread(self) -> dict[str, str]:
        looked_for = {file.pattern for file in FILES}
        absent = dict.fromkeys(sorted(looked_for & self.tree.absent), reason(FileNotFoundError(ENOENT, "")))
        return absent | self.tree.unread | self._ticks.unread

    def _wait(self, start: float, offset_s: float, window_s: float) -> None:
        while (left := start + offset_s - self._clock.now()) > 0:
            if self._progress is not None:
                self._progress(offset_s - left, window_s)
            self._clock.sleep(left if self._progress is None else min(left, 1.0))

    def _take(self, *, at_edge: bool) -> None:
        monotonic_s, wall_s = self._clock.now(), self._clock.wall()
        tick = self._ticks.read()
        edge = self.tree.read_all(self._edges) if at_edge else {}
        if at_edge and not self._moments:
            self._edges = list(edge)  # the last sample reads what the first one found
        self._moments.append(_Moment(monotonic_s, wall_s, tick, edge))


def _check(window_s: float, samples: int) -> None:
    if not 1 <= samples <= MAX_SAMPLES:
        raise UsageError(f"{samples} samples are impossible", f"take 1 to {MAX_SAMPLES}")
    if not 0 <= window_s < float("inf") or (samples > 1) != (window_s > 0):
        raise UsageError(f"{samples} samples over {window_s:g} s are impossible", "a window needs two samples or more")


def _beside(
    root: str, unread: dict[str, str], notes: list[str], *, processes: bool
) -> tuple[str | None, tuple[Process, ...]]:
    log, remark = None, "the kernel log of another root is not read"
    if root == "/":
        from advisor.capture.kernel_log import read_kernel_log  # noqa: PLC0415

        log, remark = read_kernel_log()
    _remark(_LOG, remark, unread if log is None else None, notes)
    found: tuple[Process, ...] = ()
    if processes:
        from advisor.capture.processes import find_processes  # noqa: PLC0415

        found, remark = find_processes(root)
        _remark(_PROCESSES, remark, None if found else unread, notes)
    return log, found


def _remark(path: str, remark: str, unread: dict[str, str] | None, notes: list[str]) -> None:
    if remark and unread is not None:
        unread[path] = remark
    elif remark:
        notes.append(remark)


# Our own processor time and that of dmesg.
def _cpu_s() -> float:
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system
