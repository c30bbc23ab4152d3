"""What a capture is: one or more samples of a host, as raw text by path.

Nothing here knows what a text means; `advisor.parse` does.
"""

from __future__ import annotations

from types import MappingProxyType

from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record, field

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY: Mapping[str, Any] = MappingProxyType({})


class Sample(Record):
    """One reading of the files of a host.

    Attributes:
        files: raw text by path, without the leading slash: ``proc/vmstat``.
        monotonic_s: clock at the reading in seconds (CLOCK_MONOTONIC), or None when unknown. Only
            differences between samples of one capture mean anything.
        wall_s: seconds since the epoch, or None when unknown.
    """

    files: Mapping[str, str]
    monotonic_s: float | None = None
    wall_s: float | None = None


class Process(Record):
    """A process, for naming who stands behind a finding.

    Attributes:
        pid: process id.
        name: command name.
        rss_bytes: resident set.
        swap_bytes: swapped-out anonymous memory, None when it could not be read.
        majflt: major faults since the process started, None when unknown.
        heap_max_bytes: a JVM's ``-Xmx``, None when it is no JVM or has none.
        flags: facts from the command line that rules ask for, for example ``java`` or ``kubelet``.
    """

    pid: int
    name: str
    rss_bytes: int
    swap_bytes: int | None = None
    majflt: int | None = None
    heap_max_bytes: int | None = None
    flags: tuple[str, ...] = ()


class Cost(Record):
    """What taking the capture cost the host: processor seconds, bytes read, files read, samples taken."""

    cpu_s: float
    bytes_read: int
    files_read: int
    samples: int


class Capture(Record):
    """Samples of one host, oldest first, and what was found beside them.

    Attributes:
        samples: 1..n samples in order of time.
        host: the host's name, or "" when unknown.
        how: one word for where this comes from: live, folder, archive, sosreport, shell (taken by a shell script).
        source: what the user named: a path, ``-``, or ``this host``.
        interval_s: seconds from the first to the last sample when only that is known; otherwise None.
        kernel_log: kernel messages, or None when there are none to read.
        tools: text printed by tools, by name without ``.txt``: free, top, vmstat, swapon.
        processes: the largest processes, largest first; empty when not looked for.
        cost: what the capture cost, None when it was not taken by us.
        unread: why a path that we look for is missing, by path: "permission denied".
        links: the target of each path that is a symbolic link, where that matters (`files.linkable`); a path that
            no sample holds is a link to nothing.
        notes: remarks for the report, for example about files that were too large.
        zero_baseline: the first sample holds zeros because only differences are known: gauges and
            since-boot values of this capture mean nothing.
    """

    samples: tuple[Sample, ...]
    host: str = ""
    how: str = "folder"
    source: str = ""
    interval_s: float | None = None
    kernel_log: str | None = None
    tools: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    processes: tuple[Process, ...] = ()
    cost: Cost | None = None
    unread: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    links: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    notes: tuple[str, ...] = ()
    zero_baseline: bool = False

    def text(self, path: str) -> str | None:
        """The newest text of `path`, or None when no sample holds it.

        >>> Capture((Sample({"proc/uptime": "1 2"}), Sample({}))).text("proc/uptime")
        '1 2'
        """
        for sample in reversed(self.samples):
            if path in sample.files:
                return sample.files[path]
        return None

    def paths(self) -> tuple[str, ...]:
        """Every path that any sample holds, sorted."""
        return tuple(sorted({path for sample in self.samples for path in sample.files}))
