"""What the catalogue says of a setting: where it is, what it takes, what a write does, how it is undone."""

from __future__ import annotations

from advisor.hints import TYPE_CHECKING, Literal
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

Value = int | bool | str | tuple[int, ...]
"""A setting's value: a number or flag, a word, or a list of numbers."""

Kind = Literal["int", "ints", "choice", "bool", "action"]
Persist = Literal["sysctl.d", "tmpfiles.d", "boot", "owner", "never"]

INT_MAX = 2**31 - 1
ULONG_MAX = 2**64 - 1

_VM_DOCS = "https://docs.kernel.org/admin-guide/sysctl/vm.html"


class Bounds(Record):
    """What the kernel accepts.

    Attributes:
        lo: smallest value, included.
        hi: largest value, included.
        why: where the bound comes from.
        needs: features of which one must be there for these bounds to hold, in the form
            ``proc/vmstat pgscan_anon`` or ``proc/sys/vm/defrag_mode``; none: they hold anywhere.
        also: single values outside that it accepts too.
    """

    lo: int
    hi: int
    why: str
    needs: tuple[str, ...] = ()
    also: tuple[int, ...] = ()

    def nearest(self, number: int) -> int:
        """The accepted value next to a number; the number itself when it is accepted."""
        return number if number in self.also else max(self.lo, min(number, self.hi))


class Policy(Record):
    """What we let a change end at, within what the kernel accepts. Our own judgement, not the kernel's.

    Attributes:
        lo: smallest value.
        hi: largest value.
        why: the reason, one clause.
        approved_lo: smallest value once a person agreed; None: the same as `lo`.
        approved_hi: largest value once a person agreed; None: the same as `hi`.
    """

    lo: int
    hi: int
    why: str
    approved_lo: int | None = None
    approved_hi: int | None = None


class Clamp(Record):
    """The range that a change may end in on one host, and why."""

    lo: int
    hi: int
    why: str


class HostFacts(Record):
    """What policies ask of a host.

    Attributes:
        managed_pages: sum of `managed` over all zones.
        page_size: bytes.
        nodes: NUMA nodes with memory.
        auto_min_free: the kernel's own default of vm.min_free_kbytes, KiB; None when unknown.
        thp_floor: what THP raises vm.min_free_kbytes to, KiB; None when THP is off or unknown.
        hugepage_bytes: size of a huge page.
        features: what the kernel has, see `features_of`.
    """

    managed_pages: int
    page_size: int = 4096
    nodes: int = 1
    auto_min_free: int | None = None
    thp_floor: int | None = None
    hugepage_bytes: int = 2 << 20
    features: frozenset[str] = frozenset()

    @property
    def managed_kib(self) -> int:
        """Managed memory in KiB."""
        return self.managed_pages * self.page_size // 1024


class Tunable(Record):
    """One setting.

    Attributes:
        name: as rules, plans and reports write it: ``vm.swappiness``, ``thp.enabled``.
        kind: int, ints (one number per zone), choice (a word), bool, or action (a write does something,
            nothing is stored).
        summary: what it does, one line.
        path: without leading slash; ``{cgroup}`` stands for the cgroup. Derived from a ``vm.`` name.
        unit: unit of the value as the rule language knows it: KiB, B, ms, s, page, or 1.
        label: the unit in words.
        bounds: what the kernel accepts; the first whose feature is there holds.
        choices: the words of a choice that kernels know; empty when each kernel has its own.
        words: words that an int takes beside numbers (``max``).
        default: the kernel's default, or None when it is computed or left to the distribution.
        default_note: how the default comes about.
        live: whether a write acts on the running kernel.
        coupled: settings that a write zeroes.
        unset: values that can be read but not written: they say that the coupled setting counts.
        changes: other settings that a write may change.
        side_effect: what else a write does, one sentence.
        order: rank in which a plan writes: THP, then min_free_kbytes, then the factors, then the rest.
        undo: how to take a change back.
        persist: what keeps it over a reboot: a sysctl.d or tmpfiles.d file, the kernel command line
            (boot), whoever owns the cgroup (owner), or nothing (never).
        max_step: one change may raise it at most so many times; None: no bound.
        policy: what a change may end at, perhaps depending on the host.
        too_low: what happens when it is too low.
        too_high: what happens when it is too high.
        docs: the kernel's documentation.
        advise_only: never changed by us, only recommended.
        scope: host, or cgroup when there is one per cgroup.
        bool_words: how false and true are written.
        hexadecimal: whether it is printed as 0x0007.
    """

    name: str
    kind: Kind
    summary: str
    path: str = ""
    unit: str = "1"
    label: str = ""
    bounds: tuple[Bounds, ...] = ()
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    default: Value | None = None
    default_note: str = ""
    live: bool = True
    coupled: tuple[str, ...] = ()
    unset: tuple[int, ...] = ()
    changes: tuple[str, ...] = ()
    side_effect: str = ""
    order: int = 50
    undo: str = "Write the old value."
    persist: Persist = "sysctl.d"
    max_step: float | None = None
    policy: Policy | Callable[[HostFacts], Policy] | None = None
    too_low: str = ""
    too_high: str = ""
    docs: str = ""
    advise_only: bool = False
    scope: Literal["host", "cgroup"] = "host"
    bool_words: tuple[str, str] = ("0", "1")
    hexadecimal: bool = False

    def __post_init__(self) -> None:
        group, _, leaf = self.name.partition(".")
        if group == "vm" and not self.path:
            object.__setattr__(self, "path", f"proc/sys/vm/{leaf}")
        if group == "vm" and not self.docs:
            object.__setattr__(self, "docs", f"{_VM_DOCS}#{leaf.replace('_', '-')}")

    def accepted(self, features: Collection[str] = ()) -> Bounds | None:
        """The bounds of a kernel with these features; the narrow ones when nothing is known of it."""
        for bounds in self.bounds:
            if not bounds.needs or any(need in features for need in bounds.needs):
                return bounds
        return None

    def clamp(self, host: HostFacts, *, approved: bool = False) -> Clamp | None:
        """The range that a change may end in on this host; None when we have no opinion.

        Args:
            host: facts that the policy may depend on.
            approved: whether a person agreed to go further than a change by itself may.
        """
        policy = self.policy(host) if callable(self.policy) else self.policy
        if policy is None:
            return None
        if not approved:
            return Clamp(policy.lo, policy.hi, policy.why)
        lo = policy.lo if policy.approved_lo is None else policy.approved_lo
        hi = policy.hi if policy.approved_hi is None else policy.approved_hi
        return Clamp(lo, hi, policy.why)
