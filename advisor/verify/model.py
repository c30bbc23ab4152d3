"""What verification says: a verdict for each expectation, each change, each cost, and for the whole."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from advisor.noise import Ratio
    from advisor.tunables import Value as SettingValue

BETTER, SAME, WORSE, UNCLEAR = "better", "same", "worse", "cannot tell"

LEVEL = 0.025
"""Probability with which each end of an interval may miss: the usual 95 % interval. It is divided by the number of
expectations that could each call a change better, and by the number of costs that could each call it worse."""

MARGIN = 1.25
"""A change by less than a factor of 1.25 in either direction is none. It is the range of 80 % to 125 % by which
medicine calls two doses equivalent (two one-sided tests: Schuirmann 1987), and far below what rules expect."""

WORK_RANGE = 2.0
"""Work per second may differ by this factor. Stalls do not grow in proportion to work: kswapd has the time of
gap / rate before tasks must reclaim themselves. A plan doubles that gap at least; a load that halves or doubles could
do the same, and what did it could not be told."""

ENOUGH_EVENTS = 20
"""So many events must be expected after the change, were nothing changed. With 12 a fall to half could be told from
chance (Poisson, 5 %); memory events come in clusters, hence more."""

RECLAIM_BATCH = 32
"""Pages are reclaimed in batches of so many (SWAP_CLUSTER_MAX, include/linux/swap.h): one batch is one event."""


class Expectation(Record):
    """What a rule expects of a change, and what came.

    Attributes:
        rule: the rule that asked for the change.
        text: the expectation as the rule states it.
        role: goal: what the change is for; guard: what must not suffer.
        entity: zone, node or cgroup that it is about; empty for the host.
        unit: of the quantity; see `advisor.units`.
        noise: the quantity before and after, at the rate of work of BEFORE, and the ratio with its interval, in which
            below 1 is better; None for a state, which has no noise.
        reached: whether all that the rule hopes for came; None where that is unknown.
        wait_s: how much longer to watch before it can be told; None where waiting does not help or is not needed.
    """

    rule: str
    text: str
    role: str
    entity: str
    verdict: str
    why: str
    unit: str = ""
    noise: Ratio | None = None
    reached: bool | None = None
    wait_s: float | None = None


class Cost(Record):
    """Something that the change must not make worse, whatever it was for. `noise` as in Expectation."""

    signal: str
    meaning: str
    unit: str
    verdict: str
    why: str
    noise: Ratio | None = None


class Change(Record):
    """One change of the plan.

    Attributes:
        setting: its name, or that of an action.
        before: value before, in the setting's own unit; None when unknown.
        proposed: value of the plan; None for an action.
        after: value after.
        rules: the rules that asked for it.
    """

    setting: str
    before: SettingValue | None
    proposed: SettingValue | None
    after: SettingValue | None
    rules: tuple[str, ...]
    verdict: str
    why: str
    expectations: tuple[Expectation, ...] = ()
    wait_s: float | None = None


class Score(Record):
    """A prediction beside what came. `unit` is that of both; `error` is observed - predicted, 0 within a range."""

    what: str
    unit: str
    predicted: tuple[float, float]
    observed: float
    error: float

    @property
    def right(self) -> bool:
        """Whether it came as predicted."""
        return self.error == 0


class Work(Record):
    """What both sides did: the measure, and its rate per second before and after; None where it is unknown."""

    measure: str
    unit: str
    before: float | None
    after: float | None

    @property
    def ratio(self) -> float | None:
        """How much more was done after the change, per second."""
        return self.after / self.before if self.before and self.after is not None else None


class Identity(Record):
    """Which host it was; None where the captures do not tell."""

    hostname: str | None
    boot_id: str | None
    kernel: str | None
    managed_bytes: int | None
    role: str | None


class Side(Record):
    """What one side rests on: captures, windows, and their seconds."""

    captures: int
    windows: int
    seconds: float


class Verification(Record):
    """The whole.

    Attributes:
        verdict: better, same, worse, cannot tell.
        why: the reasons, the weightiest first.
        undo: settings at fault, which to take back: those of changes that made it worse, and no others.
        wait_s: how much longer to watch; None where waiting does not help or is not needed.
        ended_s: when AFTER ended, in seconds since the epoch; None when unknown.
    """

    verdict: str
    why: tuple[str, ...]
    host: Identity
    before: Side
    after: Side
    work: Work
    changes: tuple[Change, ...]
    costs: tuple[Cost, ...]
    predictions: tuple[Score, ...]
    undo: tuple[str, ...]
    wait_s: float | None
    ended_s: float | None = None
    notes: tuple[str, ...] = ()


def longest(waits: Sequence[float | None]) -> float | None:
    """The longest of some times to wait; None where there is none."""
    return max((wait for wait in waits if wait is not None), default=None)
