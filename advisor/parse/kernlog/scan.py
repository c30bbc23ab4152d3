"""Reads the lines that concern memory and puts the reports together.

Several processors may report at once. Where the log names the caller of each line (CONFIG_PRINTK_CALLER)
their reports are kept apart; elsewhere a new heading or a zone seen twice begins the next report.
"""

from __future__ import annotations

import re

from advisor.errors import ParseError
from advisor.hints import TYPE_CHECKING
from advisor.parse._text import notes
from advisor.parse.kernlog import zones
from advisor.parse.kernlog.draft import Draft
from advisor.parse.kernlog.lines import memory_lines
from advisor.parse.kernlog.messages import message
from advisor.parse.kernlog.model import KernelLog, Message
from advisor.parse.kernlog.trigger import looks_like_kernel_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from advisor.parse.kernlog.lines import Line

_MASK = r"(?P<mask>0x[0-9a-f]{1,16})(?![0-9a-zA-Z])(?:(?P<open>\()(?:(?P<names>[^()]*)\))?)?"
_ALLOC_FAILURE = re.compile(
    r"(?P<task>.{1,64}?): ?page allocation failure[.:]"
    rf"(?: ?order:(?P<order>[0-9]{{1,2}})\b)?(?:,? ?mode:{_MASK})?"
)
_OOM = re.compile(rf"(?P<task>.{{1,64}}?) invoked oom-killer:(?: ?gfp_mask={_MASK})?")
_OOM_ORDER = re.compile(r", ?order=([0-9]{1,2})\b")
_OOM_KILL = re.compile(r"oom-kill:(.*)")
_FIELD = re.compile(
    r", ?(?=(?:constraint|nodemask|cpuset|mems_allowed|oom_memcg|task_memcg|task|pid|uid|order"
    r"|oom_(?:score_)?adj)=|global_oom\b)"
)
_NODE_LISTS = ("nodemask", "mems_allowed")
_NODES = re.compile(r"\(null\)|[0-9]+(?:[,-][0-9]+)*")
_MEMCG_LIMIT = re.compile(r"Task in (?P<victim_memcg>.+) killed as a result of limit of (?P<memcg>.+)")
_CPUSET = re.compile(r".{1,64}? cpuset=(?P<cpuset>\S+?) ?mems_allowed=(?P<mems_allowed>[0-9,-]+)$")
_GROUP = re.compile(r"Tasks in .+ are going to be killed")
_KILL = re.compile(
    r"(?:(?P<why>Memory cgroup out of memory|Out of memory)[^:]{0,64}: ?)?"
    r"(?P<done>[Kk]ill(?:ed)?) ?process ?(?P<pid>[0-9]{1,10}),?(?: ?UID [0-9]+,)? ?"
    r"\((?P<victim>.*)\)(?P<rest>[^()]*)"
)
_RSS = re.compile(r"\b(anon|file|shmem)-rss:([0-9]{1,15})kB")
_CPU = re.compile(
    r"(?:CPU: [0-9]+ (?:UID: [0-9]+ )?PID: (?P<pid>[0-9]{1,10}) Comm: |Pid: (?P<old_pid>[0-9]{1,10}), comm: )"
    r"(?P<comm>.{1,64}?) (?:Kdump: loaded )?(?:Not tainted|Tainted:)[-A-Z ()]*? ?"
    r"(?P<release>[0-9]{1,3}\.[0-9]{1,3}\S*) #"
)
_MEM_INFO = re.compile(r"Mem-[Ii]nfo:")
_VMALLOC = re.compile(r"vmalloc: allocation failure")


def scan(text: str) -> KernelLog:
    """Read all of a log; see `advisor.parse.kernlog.parse`."""
    holed = "\0" in text
    scanner = _Scanner()
    if holed:
        scanner.problems.append("the log has holes of NUL bytes")
        text = text.replace("\0", " ")
    for line in memory_lines(text, scanner.problems):
        scanner.feed(line)
    log = scanner.finish()
    if not log.reports and not log.messages and (holed or not looks_like_kernel_log(text)):
        raise ParseError("no line of a kernel log", "expected the output of dmesg or journalctl -k")
    return log


class _Scanner:
    """Takes lines in order and gives the log at the end."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._drafts: list[Draft] = []
        self._messages: list[Message] = []
        self._open: dict[str, Draft] = {}
        self._vmalloc_failed_at = -1
        self._handlers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Line], None]], ...] = (
            (zones.ZONE, self._zone),
            (zones.LOWMEM, self._lowmem),
            (zones.BLOCKS, self._blocks),
            (zones.NODE, self._node),
            (zones.PAGES, self._pages),
            (zones.SWAP, self._swap),
            (_MEM_INFO, self._mem_info),
            (_CPU, self._cpu),
            (_KILL, self._kill),
            (_OOM_KILL, self._oom_kill),
            (_OOM, self._oom),
            (_ALLOC_FAILURE, self._alloc_failure),
            (_CPUSET, self._cpuset),
            (_MEMCG_LIMIT, self._memcg_limit),
            (_GROUP, self._group),
            (_VMALLOC, self._vmalloc),
        )

    def feed(self, line: Line) -> None:
        """Take the next line."""
        if found := message(line):
            self._messages.append(found)
        elif zones.TOTALS.fullmatch(line.text):
            self._totals(line)
        for pattern, handler in self._handlers:
            if match := pattern.match(line.text):
                handler(match, line)
                return

    def finish(self) -> KernelLog:
        """The reports and messages of all lines taken."""
        drafts = sorted(self._drafts, key=lambda draft: draft.number)
        reports = [report for draft in drafts if (report := draft.report(self.problems)) is not None]
        return KernelLog(tuple(reports), tuple(self._messages), notes(self.problems))

    def _begin(self, kind: str, line: Line) -> Draft:
        draft = Draft(kind, line)
        self._open[line.caller] = draft
        self._drafts.append(draft)
        return draft

    # The report that `line` belongs to, if one is open.
    def _current(self, line: Line) -> Draft | None:
        draft = self._open.get(line.caller)
        if draft is None or not draft.reaches(line):
            return None
        draft.touch(line)
        return draft

    def _dump(self, line: Line) -> Draft:
        draft = self._current(line)
        return self._begin("zones", line) if draft is None or draft.killed else draft

    def _alloc_failure(self, match: re.Match[str], line: Line) -> None:
        if self._vmalloc_failed_at == line.number - 1:
            return  # it ran out of address space, and "order:0" is only a way to say so
        draft = self._begin("alloc_failure", line)
        draft.set("order", _number(match["order"]))
        _request(draft, match)

    def _vmalloc(self, _: re.Match[str], line: Line) -> None:
        self._vmalloc_failed_at = line.number

    def _oom(self, match: re.Match[str], line: Line) -> None:
        draft = self._begin("oom", line)
        order = _OOM_ORDER.search(line.text)
        draft.set("order", _number(order[1]) if order else None)
        _request(draft, match)

    def _cpuset(self, match: re.Match[str], line: Line) -> None:
        if draft := self._current(line):
            draft.set("cpuset", match["cpuset"])
            draft.set("mems_allowed", match["mems_allowed"])

    def _memcg_limit(self, match: re.Match[str], line: Line) -> None:
        draft = self._victim_draft(line)
        for name in ("victim_memcg", "memcg"):
            draft.set(name, match[name])
        _set_cause(draft, memcg=True)

    def _oom_kill(self, match: re.Match[str], line: Line) -> None:
        draft = self._victim_draft(line)
        fields = _fields(match[1])
        draft.set("constraint", fields.get("constraint"))
        draft.set("global_oom", _global_oom(fields))
        draft.set("memcg", fields.get("oom_memcg"))
        draft.set("victim_memcg", fields.get("task_memcg"))
        draft.set("victim", fields.get("task"))
        draft.set("victim_pid", _number(fields.get("pid")))
        for name in ("nodemask", "cpuset", "mems_allowed"):
            draft.set(name, fields.get(name))

    def _group(self, _: re.Match[str], line: Line) -> None:
        if draft := self._current(line):
            draft.group = True

    def _kill(self, match: re.Match[str], line: Line) -> None:
        draft = self._victim_draft(line)
        if draft.killed:
            return
        if match["why"]:
            _set_cause(draft, memcg=match["why"].startswith("Memory"))
        draft.fields["victim"] = match["victim"]
        draft.fields["victim_pid"] = int(match["pid"])
        draft.set("killed_rss_bytes", None if line.cut else _rss(match["rest"]))
        draft.killed = match["done"] == "Killed"

    # A kill is a report of its own when the log does not hold its heading.
    def _victim_draft(self, line: Line) -> Draft:
        draft = self._current(line)
        if draft is None or draft.kind != "oom" or (draft.killed and not draft.group):
            return self._begin("oom", line)
        return draft

    def _cpu(self, match: re.Match[str], line: Line) -> None:
        draft = self._current(line)
        if draft is None or draft.dumped or draft.killed:
            return
        draft.set("release", match["release"])
        if match["comm"] == draft.fields.get("task"):
            draft.set("pid", int(match["pid"] or match["old_pid"]))

    def _mem_info(self, _: re.Match[str], line: Line) -> None:
        if self._dump(line).dumped:
            self._begin("zones", line)

    def _zone(self, match: re.Match[str], line: Line) -> None:
        draft = self._dump(line)
        if draft.has_zone(match):
            draft = self._begin("zones", line)
        self._note(draft.zone(match, line), line)

    def _blocks(self, match: re.Match[str], line: Line) -> None:
        draft = self._dump(line)
        if draft.has_blocks(match):
            draft = self._begin("zones", line)
        self._note(draft.blocks(match, line), line)

    def _node(self, match: re.Match[str], line: Line) -> None:
        self._dump(line).node(match)

    def _lowmem(self, match: re.Match[str], line: Line) -> None:
        draft = self._current(line)
        if draft is not None and match[0] == line.text:
            draft.lowmem(line.text)

    def _totals(self, line: Line) -> None:
        draft = self._dump(line)
        for name, pages in zones.counters(line.text):
            draft.counter(name, pages)

    def _pages(self, match: re.Match[str], line: Line) -> None:
        draft = self._current(line)
        if draft is not None and draft.dumped and match[0] == line.text:
            draft.counter(*zones.page_count(match))

    def _swap(self, match: re.Match[str], line: Line) -> None:
        draft = self._current(line)
        if draft is not None and draft.dumped and match[0] == line.text:
            draft.set(f"swap_{match[1].lower()}_bytes", int(match[2]) * 1024)

    def _note(self, problem: str, line: Line) -> None:
        if problem:
            self.problems.append(f"line {line.number}: {problem}")


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None


# The fields between commas; without what may be cut off where the line was.
def _fields(text: str) -> dict[str, str]:
    fields = dict(_pair(part) for part in _FIELD.split(text))
    if "mems_allowed" not in fields:
        fields.pop("cpuset", None)
    for name in _NODE_LISTS:
        if name in fields and not _NODES.fullmatch(fields[name]):
            del fields[name]
    return fields


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition("=")
    return name, value.replace(", ", ",")


def _global_oom(fields: dict[str, str]) -> bool | None:
    if "oom_memcg" in fields or fields.get("constraint") == "CONSTRAINT_MEMCG":
        return False
    return True if "global_oom" in fields else None


def _set_cause(draft: Draft, *, memcg: bool) -> None:
    draft.set("global_oom", not memcg)
    if memcg:
        draft.set("constraint", "CONSTRAINT_MEMCG")


# The flags of the request, and the nodes it may use. An open bracket without its end hides the names.
def _request(draft: Draft, match: re.Match[str]) -> None:
    draft.set("task", match["task"])
    if match["mask"] is None:
        return
    draft.set("gfp_mask", int(match["mask"], 16))
    if match["open"]:
        names = (match["names"] or "").split("|")
        draft.set("gfp_flags", tuple(name for name in names if name))
    fields = _fields(match.string[match.end() :])
    for name in ("nodemask", "cpuset", "mems_allowed"):
        draft.set(name, fields.get(name))


def _rss(text: str) -> int | None:
    found = dict(_RSS.findall(text))
    return sum(int(kib) for kib in found.values()) * 1024 if "anon" in found else None
