"""The parsed view of a capture that signals are computed from.

Each file is parsed at most once per sample, when somebody asks. What cannot be read or parsed raises
`Unknown` with the reason, which travels to the finding.
"""

from __future__ import annotations

from advisor.errors import ParseError, Unknown
from advisor.hints import TYPE_CHECKING, Any, TypeVar
from advisor.parse import stat, uptime, vmstat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from advisor.capture.model import Capture

T = TypeVar("T")

# Two readings of the boot time differ by rounding; a reboot moves it by more.
_BTIME_JITTER_S = 5


class Readings:
    """The samples of a capture, parsed when asked and kept."""

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self._kept: dict[tuple[int, str, Any], Any] = {}

    def parsed(self, index: int, path: str, parse: Callable[[str], T]) -> T:
        """The parsed text of `path` in one sample; raises Unknown when there is none to parse."""
        key = (index, path, parse)
        if key not in self._kept:
            self._kept[key] = self._parse(index, path, parse)
        kept = self._kept[key]
        if isinstance(kept, Unknown):
            raise kept
        return kept  # type: ignore[no-any-return]

    def _parse(self, index: int, path: str, parse: Callable[[str], T]) -> T | Unknown:
        text = self.capture.samples[index].files.get(path)
        if text is None:
            return Unknown(f"/{path} is not in the capture", self.capture.unread.get(path, ""))
        try:
            return parse(text)
        except ParseError as error:
            return Unknown(f"/{path}: {error.message}", error.hint)

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Something computed once for all windows of the capture."""
        key = (-1, name, None)
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]  # type: ignore[no-any-return]


class View:
    """A window of a capture: from sample `first` to sample `last`.

    With one sample the window reaches from boot to that sample: the counters are totals since boot.

    Args:
        readings: the parsed samples.
        first: index of the sample that the window starts with; None for boot.
        last: index of the sample that it ends with.
        role: what the host is for, as the user says, or None.
    """

    def __init__(self, readings: Readings, first: int | None, last: int, role: str | None = None) -> None:
        self.readings = readings
        self.capture = readings.capture
        self.first = first
        self.last = last
        self.role = role
        self._kept: dict[str, Any] = {}
        # A file is asked for some hundred times: once for every signal that reads it.
        self._before: dict[tuple[str, Any], Any] = {}
        self._after: dict[tuple[str, Any], Any] = {}

    @property
    def since_boot(self) -> bool:
        """Whether counters are totals since boot, since there is no earlier sample."""
        return self.first is None

    @property
    def seconds(self) -> float:
        """Length of the window in seconds; Unknown when no clock tells."""
        return self.once("seconds", self._seconds)

    def _seconds(self) -> float:
        if self.first is None:
            return self.after("proc/uptime", uptime.parse)
        start, end = self.capture.samples[self.first], self.capture.samples[self.last]
        whole = (self.first, self.last) == (0, len(self.capture.samples) - 1)
        if start.monotonic_s is not None and end.monotonic_s is not None:
            length = end.monotonic_s - start.monotonic_s
        elif whole and self.capture.interval_s is not None:
            length = self._stated(self.capture.interval_s)
        else:
            length = self.after("proc/uptime", uptime.parse) - self.before("proc/uptime", uptime.parse)
        if length <= 0:
            raise Unknown("the clock did not advance between the samples", "take the samples again")
        return length

    def _stated(self, interval_s: float) -> float:
        """The interval that somebody stated, unless the host's own clock tells quite another."""
        try:
            ran = self.after("proc/uptime", uptime.parse) - self.before("proc/uptime", uptime.parse)
        except Unknown:
            return interval_s
        if abs(ran - interval_s) > max(2.0, 0.1 * interval_s):
            raise Unknown(f"the interval is said to be {interval_s:g} s, but the host ran {ran:g} s in between")
        return interval_s

    def before(self, path: str, parse: Callable[[str], T]) -> T:
        """The parsed file at the start of the window; Unknown when the window starts at boot."""
        key = (path, parse)
        if key not in self._before:
            self._before[key] = self._at_start(path, parse)
        return self._before[key]  # type: ignore[no-any-return]

    def _at_start(self, path: str, parse: Callable[[str], T]) -> T:
        if self.first is None:
            raise Unknown("one sample only", "take two: advisor check --window 60")
        if self.capture.zero_baseline and path != "proc/vmstat":
            raise Unknown("the first sample of the capture holds zeros only")
        if self._newest(path) == self.first:
            # Compared with itself it would not have changed, and no change is a verdict.
            why = self.capture.unread.get(path, "")
            raise Unknown(f"/{path} was read at the start of the window only", why)
        return self.readings.parsed(self.first, path, parse)

    def after(self, path: str, parse: Callable[[str], T]) -> T:
        """The parsed file at the end of the window, or as last read before it."""
        key = (path, parse)
        if key not in self._after:
            self._after[key] = self.readings.parsed(self._newest(path), path, parse)
        return self._after[key]  # type: ignore[no-any-return]

    def _newest(self, path: str) -> int:
        """Index of the newest sample of the window that holds the file, or of the last when none does."""
        samples = self.capture.samples
        return next((i for i in range(self.last, -1, -1) if path in samples[i].files), self.last)

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """`compute()`, done once for this window, and its Unknown kept as well."""
        if name not in self._kept:
            try:
                self._kept[name] = compute()
            except Unknown as reason:
                self._kept[name] = reason
        kept = self._kept[name]
        if isinstance(kept, Unknown):
            raise kept
        return kept  # type: ignore[no-any-return]

    def check_same_boot(self) -> None:
        """Raise Unknown when the host rebooted within the window: counters started again from 0."""
        self.once("same_boot", self._check_same_boot)

    def _check_same_boot(self) -> None:
        if self.first is None:
            return
        self._check_order()
        try:
            start, end = (
                self.before("proc/stat", stat.parse).btime_s,
                self.after("proc/stat", stat.parse).btime_s,
            )
        except Unknown:
            return  # no boot time to compare; a counter that went backwards still tells
        if start is not None and end is not None and abs(end - start) > _BTIME_JITTER_S:
            raise Unknown("the host rebooted between the samples", "take both samples after the reboot")

    def _check_order(self) -> None:
        try:
            start, end = self.before("proc/uptime", uptime.parse), self.after("proc/uptime", uptime.parse)
        except Unknown:
            return
        if end < start:
            raise Unknown("the host rebooted between the samples, or they are swapped", "take the samples again")

    @property
    def vmstat(self) -> Mapping[str, int]:
        """/proc/vmstat at the end of the window; pages, and bytes for pgpgin and pgpgout."""
        return self.after("proc/vmstat", vmstat.parse).values

    @property
    def vmstat_before(self) -> Mapping[str, int]:
        """/proc/vmstat at the start of the window."""
        return self.before("proc/vmstat", vmstat.parse).values


def views(capture: Capture, role: str | None = None) -> tuple[View, tuple[View, ...]]:
    """The whole window of a capture, and the windows between neighbouring samples.

    The parts are empty when there are fewer than three samples: one window cannot repeat itself.
    """
    readings = Readings(capture)
    last = len(capture.samples) - 1
    whole = View(readings, None if last == 0 else 0, last, role)
    parts = tuple(View(readings, i, i + 1, role) for i in range(last)) if last >= 2 else ()
    return whole, parts
