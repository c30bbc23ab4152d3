"""A report while its lines are coming in."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Any
from advisor.parse.kernlog import gfp, zones
from advisor.parse.kernlog.model import Report, ZoneLine
from advisor.record import fields

if TYPE_CHECKING:
    import re

    from advisor.parse.kernlog.lines import Line

_ZONE_FIELDS = frozenset(fields(ZoneLine))
_LONGEST_GAP_S = 60.0  # a dump of many tasks over a serial console takes this long; a later dump is another one
_MOST_LINES_BETWEEN = 50_000


class Draft:
    """One report that is being read.

    Attributes:
        kind: as in `Report`.
        fields: what its lines said, by field of `Report`.
        killed: the victim is known; what follows belongs to another report.
        group: the whole cgroup is killed, so more victims may follow.
        dumped: a memory dump has begun.
    """

    def __init__(self, kind: str, line: Line) -> None:
        self.kind = kind
        self.fields: dict[str, Any] = {}
        self.killed = False
        self.group = False
        self.dumped = False
        self._first = line
        self._latest = line
        self._named_nodes: set[bool] = set()
        self._zones: dict[tuple[int, str], dict[str, Any]] = {}
        self._hopeless: dict[int, bool] = {}
        self._totals: dict[str, int] = {}
        self._contradicted: set[str] = set()
        self._page_sizes: set[int] = set()
        self._latest_zone: dict[str, Any] | None = None

    @property
    def number(self) -> int:
        """Line number of its first line."""
        return self._first.number

    def reaches(self, line: Line) -> bool:
        """Tell whether a line may still belong to this report, by time and distance from its latest line."""
        latest = self._latest
        if line.number - latest.number > _MOST_LINES_BETWEEN:
            return False
        if line.time_s is None or latest.time_s is None:
            return True
        return -1.0 <= line.time_s - latest.time_s <= _LONGEST_GAP_S

    def touch(self, line: Line) -> None:
        """Remember that `line` belongs to this report."""
        self._latest = line

    def set(self, name: str, value: object) -> None:
        """Remember a field that has not been said before."""
        if value is not None:
            self.fields.setdefault(name, value)

    def has_zone(self, match: re.Match[str]) -> bool:
        """Tell whether the zone of a zone line has been dumped already."""
        return "free" in self._zones.get(_key(match), {})

    def has_blocks(self, match: re.Match[str]) -> bool:
        """Tell whether the blocks of a zone have been dumped already."""
        return "blocks" in self._zones.get(_key(match), {})

    def zone(self, match: re.Match[str], line: Line) -> str:
        """Add a zone line; say what is wrong with it, or nothing."""
        values, contradicted = zones.amounts(match[3])
        problem = zones.contradiction(values)
        self.dumped = True
        self._latest_zone = None
        if problem:
            return f"zone {match[2]}: {problem}"
        self._latest_zone = zone = self._zone(match)
        zone.update({name: value for name, value in values.items() if name in _ZONE_FIELDS})
        zone["all_unreclaimable"] = zones.all_unreclaimable(match[3])
        zone["line"] = line.number
        return f"zone {match[2]}: {', '.join(contradicted)} twice or too large" if contradicted else ""

    def blocks(self, match: re.Match[str], line: Line) -> str:
        """Add the free blocks of a zone; say what is wrong with them, or nothing."""
        self.dumped = True
        found = zones.blocks(match[3])
        if found is None:
            return f"zone {match[2]}: the blocks do not add up to their sum"
        zone = self._zone(match)
        zone["blocks"] = found.counts
        zone.setdefault("line", line.number)
        self._page_sizes.add(found.page_size)
        return ""

    def lowmem(self, text: str) -> None:
        """Add the reserves of the zone before."""
        if self._latest_zone is not None:
            pages = text.partition(":")[2].split()
            self._latest_zone["lowmem_reserve"] = tuple(int(number) for number in pages)

    def node(self, match: re.Match[str]) -> None:
        """Add whether a node is hopeless."""
        self.dumped = True
        self._hopeless[int(match[1])] = match[2] == "yes"

    def counter(self, name: str, pages: int) -> None:
        """Add a counter of the whole host."""
        self.dumped = True
        if self._totals.setdefault(name, pages) != pages:
            self._contradicted.add(name)

    def report(self, problems: list[str]) -> Report | None:
        """The report, or None when it turned out to say nothing."""
        totals = {name: pages for name, pages in self._totals.items() if name not in self._contradicted}
        found = self._finished_zones(problems)
        if self.kind == "zones" and not (found or totals):
            return None
        if len(self._page_sizes) == 1:
            self.set("page_size", *self._page_sizes)
        self._judge_request()
        first = self._first
        return Report(self.kind, first.number, first.text, first.time_s, totals=totals, zones=found, **self.fields)

    def _judge_request(self) -> None:
        flags = self.fields.get("gfp_flags")
        mask = self.fields.get("gfp_mask")
        if flags:
            self.fields["atomic"], self.fields["direct_reclaim"] = gfp.by_names(flags)
        elif mask is not None and flags is None:
            atomic, reclaims = gfp.by_bits(mask, self.fields.get("release"))
            self.fields["atomic"], self.fields["direct_reclaim"] = atomic, reclaims

    def _zone(self, match: re.Match[str]) -> dict[str, Any]:
        self._named_nodes.add(match[1] is not None)
        return self._zones.setdefault(_key(match), {"named": match[1] is not None})

    # Lines that lost their node in a dump of a NUMA kernel, and reserves that lost a number, are of no use.
    def _finished_zones(self, problems: list[str]) -> tuple[ZoneLine, ...]:
        lengths = {len(zone["lowmem_reserve"]) for zone in self._zones.values() if "lowmem_reserve" in zone}
        done = []
        for (node, name), zone in self._zones.items():
            if not zone.pop("named") and True in self._named_nodes:
                problems.append(f"line {zone['line']}: zone {name} has lost its node")
                continue
            if len(lengths) > 1:
                zone.pop("lowmem_reserve", None)
            if zone.get("all_unreclaimable") is None:
                zone["all_unreclaimable"] = self._hopeless.get(node)
            done.append(ZoneLine(node, name, **zone))
        return tuple(done)


def _key(match: re.Match[str]) -> tuple[int, str]:
    return int(match[1] or 0), match[2]
