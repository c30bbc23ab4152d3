"""Which rules can be decided with what a fleet collects, and what would decide the rest."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from advisor.fleet.columns import entities
from advisor.fleet.exporters import COLLECTORS, cure_of, records
from advisor.record import Record
from advisor.signals.model import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from advisor.fleet.evaluate import Count
    from advisor.fleet.exporters import Collector
    from advisor.rulebook.library import Check

_PATH = re.compile(r"(?<!\S)/((?:proc|sys|etc)/[^\s:;,]+)")


class Gap(Record):
    """A reason for which rules stay open.

    Attributes:
        reason: as the capture says it, with what it says to do.
        rules: the rules that it holds up, sorted.
        hosts: on how many hosts.
        cure: what would make it readable or fill it; may be empty.
    """

    reason: str
    rules: tuple[str, ...]
    hosts: int
    cure: str


class Source(Record):
    """One kind of source of a store, and what its captures decide.

    Attributes:
        how: live, shell, sosreport, folder, archive …
        everywhere: rules that are decided on every host.
        sometimes: rules that are decided on some hosts only.
        nowhere: rules that are open on every host.
        gaps: why, what holds up most rules first.
    """

    how: str
    hosts: int
    everywhere: tuple[str, ...]
    sometimes: tuple[str, ...]
    nowhere: tuple[str, ...]
    gaps: tuple[Gap, ...]


class Step(Record):
    """An option of a collector, and how many rules cannot be decided without it, all others given."""

    flag: str
    rules: int


class Reach(Record):
    """What the records of a collector could decide, by the inputs that the rules name.

    Attributes:
        plain: rules, with the collector as it comes.
        full: rules, with the options of `steps`.
        without: inputs that no option records, with how many rules need each; the most needed first.
    """

    collector: str
    plain: int
    full: int
    rules: int
    steps: tuple[Step, ...]
    without: tuple[tuple[str, int], ...]
    remark: str


def sources(counts: Iterable[Count], unknown: Mapping[str, Mapping[str, Counter[str]]], checks: Sequence[Check],
            hosts: Mapping[str, int]) -> tuple[Source, ...]:  # fmt: skip
    """What each kind of source decides.

    Args:
        counts: hosts by rule and state, grouped by kind of source.
        unknown: for each kind and signal, how many hosts do not know it for which reason.
        checks: the rules.
        hosts: how many hosts each kind has.
    """
    open_on: dict[str, dict[str, int]] = {how: {} for how in hosts}
    for count in counts:
        open_on[count.group[0]][count.rule] = count.of("open")
    return tuple(
        _source(how, number, open_on[how], unknown.get(how, {}), checks)
        for how, number in sorted(hosts.items(), key=lambda item: -item[1])
    )


def _source(how: str, hosts: int, open_on: Mapping[str, int], unknown: Mapping[str, Counter[str]],
            checks: Sequence[Check]) -> Source:  # fmt: skip
    everywhere = tuple(check.id for check in checks if not open_on.get(check.id))
    nowhere = tuple(check.id for check in checks if open_on.get(check.id) == hosts)
    sometimes = tuple(check.id for check in checks if 0 < open_on.get(check.id, 0) < hosts)
    return Source(how, hosts, everywhere, sometimes, nowhere, tuple(_gaps(open_on, unknown, checks)))


def _gaps(open_on: Mapping[str, int], unknown: Mapping[str, Counter[str]], checks: Sequence[Check]) -> list[Gap]:
    rules: dict[str, set[str]] = {}
    on: Counter[str] = Counter()
    reads: dict[str, list[str]] = {}
    for check in checks:
        if not open_on.get(check.id):
            continue
        for name in (*check.names, *([] if check.scope == "host" else [entities(check.scope)])):
            for reason, number in unknown.get(name, Counter()).items():
                rules.setdefault(reason, set()).add(check.id)
                on[reason] = max(on[reason], number)
                reads.setdefault(reason, []).extend(catalogue()[name].reads if name in catalogue() else ())
    found = [
        Gap(reason, tuple(sorted(names)), on[reason], _cure(reason, reads[reason])) for reason, names in rules.items()
    ]
    return sorted(found, key=lambda gap: (-len(gap.rules), -gap.hosts, gap.reason))


def _cure(reason: str, reads: Sequence[str]) -> str:
    """What would help: for the file that the reason names, and where it names none for those that are read."""
    return cure_of(_PATH.findall(reason) or reads)


def reach(collector: Collector, checks: Sequence[Check]) -> Reach:
    """What a collector's records could decide: an input that is not recorded counts as unknown, which claims little."""
    needs = {check.id: reads_of(check) for check in checks}
    wanted = sorted({read for reads in needs.values() for read in reads})
    everything = [pattern for option in collector.options for pattern in option.gives]
    plain = _decided(needs.values(), collector.gives)
    full = _decided(needs.values(), (*collector.gives, *everything))
    steps = []
    for option in collector.options:
        others = [p for other in collector.options if other is not option for p in other.gives]
        gained = full - _decided(needs.values(), (*collector.gives, *others))
        mine = [read for read in wanted if records(option.gives, read) and not records(collector.gives, read)]
        if gained:
            steps.append(Step(option.flag(mine), gained))
    missing = Counter(read.partition(" ")[0] for reads in needs.values()
                      for read in {r for r in reads if not records((*collector.gives, *everything), r)})  # fmt: skip
    steps.sort(key=lambda step: -step.rules)
    return Reach(collector.name, plain, full, len(checks), tuple(steps), tuple(missing.most_common()), collector.remark)


def reaches(checks: Sequence[Check]) -> tuple[Reach, ...]:
    """What each collector that we know could decide."""
    return tuple(reach(collector, checks) for collector in COLLECTORS)


def reads_of(check: Check) -> frozenset[str]:
    """The files and counters that decide a rule; texts of tools stand in for files only, and are left out."""
    found: set[str] = set()
    for name in (*check.names, *check.has):
        reads = [read for read in catalogue()[name].reads if read != "capture.json"]
        files = [read for read in reads if not read.partition(" ")[0].endswith("vmstat.txt")]
        found.update(files or reads)
    return frozenset(found)


def _decided(needs: Iterable[frozenset[str]], patterns: Iterable[str]) -> int:
    patterns = tuple(patterns)
    return sum(all(records(patterns, read) for read in reads) for reads in needs)
