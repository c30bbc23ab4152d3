from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.engine.dimension import parse_unit
from advisor.errors import AdvisorError
from advisor.tunables import (
    TUNABLES,
    Bounds,
    HostFacts,
    Limited,
    Tunable,
    apply_order,
    contradictions,
    features_of,
    format_value,
    get,
    limit,
    offered,
    parse_value,
    undo_writes,
    validate,
)
from tests.fixtures import KERNELS, STATES, capture_files

NAMES = sorted(TUNABLES)
CAPTURES = [(kernel, state) for kernel in KERNELS for state in STATES]
SIXTEEN_GIB = HostFacts(managed_pages=4 << 20, auto_min_free=16384, thp_floor=67584)

NOT_MEMORY_TUNING = {
    "block_dump": "debugging of block I/O",
    "dirtytime_expire_seconds": "when time stamps of inodes are written",
    "enable_soft_offline": "handling of broken memory modules",
    "hugetlb_optimize_vmemmap": "how the kernel stores its own tables",
    "laptop_mode": "power saving of disks",
    "legacy_va_layout": "layout of address spaces",
    "memfd_noexec": "security",
    "memory_failure_early_kill": "handling of broken memory modules",
    "memory_failure_recovery": "handling of broken memory modules",
    "mmap_min_addr": "security",
    "mmap_rnd_bits": "security",
    "mmap_rnd_compat_bits": "security",
    "movable_gigantic_pages": "whether gigantic pages can be moved, for memory hotplug",
    "nr_hugepages_mempolicy": "vm.nr_hugepages with the memory policy of the writer",
    "numa_zonelist_order": "takes one value only",
    "page_lock_unfairness": "locking",
    "panic_on_unrecoverable_memory_failure": "handling of broken memory modules",
    "unprivileged_userfaultfd": "security",
}


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name):
    tunable = TUNABLES[name]
    assert tunable.name == name
    assert re.fullmatch(r"(proc|sys)/[\w{}/.-]+", tunable.path)
    assert tunable.docs.startswith("https://docs.kernel.org/")
    assert len(tunable.summary.splitlines()) == 1
    assert tunable.undo
    assert tunable.kind == "choice" or tunable.too_low or tunable.too_high
    assert (tunable.kind in {"int", "ints", "action"}) == bool(tunable.bounds)
    assert tunable.default is not None or tunable.default_note or tunable.kind == "action" or "v1" in tunable.summary


@pytest.mark.parametrize("name", NAMES)
def test_unit_is_known_to_the_rule_language_and_labelled(name):
    tunable = TUNABLES[name]
    parse_unit(tunable.unit)
    assert tunable.kind not in {"int", "ints"} or tunable.label
    assert tunable.unit == "1" or tunable.kind in {"int", "action"}


@pytest.mark.parametrize("name", NAMES)
def test_bounds_widen_with_features_and_end_with_ones_that_always_hold(name):
    bounds = TUNABLES[name].bounds
    for entry in bounds:
        assert entry.lo <= entry.hi
        assert entry.why
    assert [bool(entry.needs) for entry in bounds] == [True] * (len(bounds) - 1) + [False] * bool(bounds)
    for wide, narrow in itertools.pairwise(bounds):
        assert wide.lo <= narrow.lo <= narrow.hi <= wide.hi


@pytest.mark.parametrize("name", NAMES)
def test_default_is_accepted_and_survives_being_written(name):
    tunable = TUNABLES[name]
    if tunable.default is not None:
        assert validate(tunable, tunable.default, writing=False) is None
        assert parse_value(tunable, format_value(tunable, tunable.default)) == tunable.default


@pytest.mark.parametrize("name", NAMES)
def test_relations_lead_to_other_entries(name):
    tunable = TUNABLES[name]
    for other in (*tunable.coupled, *tunable.changes):
        assert other in TUNABLES
        assert tunable.side_effect
    for twin in tunable.coupled:
        assert TUNABLES[twin].coupled == (name,)
    assert all(tunable.order < TUNABLES[other].order for other in tunable.changes)


@pytest.mark.parametrize("name", NAMES)
def test_policy_lies_within_the_kernel_s_bounds_and_grows_with_approval(name):
    tunable = TUNABLES[name]
    alone, approved = (tunable.clamp(SIXTEEN_GIB, approved=flag) for flag in (False, True))
    if alone is None:
        return
    widest = tunable.bounds[0]
    assert widest.lo <= approved.lo <= alone.lo <= alone.hi <= approved.hi <= widest.hi
    assert alone.why


@pytest.mark.parametrize("name", NAMES)
def test_how_it_is_kept_fits_where_it_is(name):
    tunable = TUNABLES[name]
    if tunable.kind == "action":
        assert tunable.persist in {"never", "owner"}
        assert tunable.order == 90
    elif tunable.path.startswith("proc/sys/"):
        assert tunable.persist == "sysctl.d"
    elif tunable.scope == "cgroup":
        assert (tunable.persist, tunable.advise_only) == ("owner", True)
    elif tunable.path.startswith("sys/"):
        assert tunable.persist == "tmpfiles.d"
    else:
        assert (tunable.persist, tunable.live) == ("boot", False)


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_every_vm_setting_of_a_real_kernel_is_known(kernel, state):
    names = {path.rpartition("/")[2] for path in capture_files(kernel, state) if path.startswith("proc/sys/vm/")}
    assert len(names) > 40
    assert {name for name in names if f"vm.{name}" not in TUNABLES} <= NOT_MEMORY_TUNING.keys()


def test_no_name_is_both_known_and_left_out():
    assert not [name for name in NOT_MEMORY_TUNING if f"vm.{name}" in TUNABLES]
    present = capture_files("7.3", "idle")
    gone = {name for name in NOT_MEMORY_TUNING if f"proc/sys/vm/{name}" not in present}
    assert gone == {"block_dump"}


def features(files):
    vmstat = [line.split()[0] for line in files["proc/vmstat"].splitlines()]
    zoneinfo = [line.split()[0] for line in files["proc/zoneinfo"].splitlines()]
    return features_of(files, vmstat, zoneinfo)


@pytest.mark.parametrize(("kernel", "state"), CAPTURES)
def test_the_values_of_real_hosts_are_read_accepted_and_written_alike(kernel, state):
    files = capture_files(kernel, state)
    read = 0
    for tunable in TUNABLES.values():
        text = files.get(tunable.path, "").strip()
        if not text or tunable.kind == "action" or tunable.persist == "boot":
            continue
        value = parse_value(tunable, text)
        assert validate(tunable, value, features(files), writing=False) is None
        written = format_value(tunable, value)
        assert written.split() == text.split() or f"[{written}]" in text.split()
        assert parse_value(tunable, written) == value
        read += 1
    assert read > 40


@pytest.mark.parametrize(
    ("kernel", "swappiness", "factor"),
    [("5.10", 200, 1000), ("6.1", 200, 3000), ("6.12", 200, 3000), ("7.3", 200, 3000)],
)
def test_bounds_go_by_what_the_kernel_has(kernel, swappiness, factor):
    has = features(capture_files(kernel, "idle"))
    assert get("vm.swappiness").accepted(has).hi == swappiness
    assert get("vm.watermark_scale_factor").accepted(has).hi == factor


def test_nothing_known_of_the_kernel_means_the_narrow_bounds():
    assert validate(get("vm.swappiness"), 150) == "150 is outside 0 to 100: kernels before 5.8 refuse more than 100"
    assert validate(get("vm.swappiness"), 150, {"proc/vmstat pgscan_anon"}) is None
    assert validate(get("vm.watermark_scale_factor"), 2000).startswith("2000 is outside 1 to 1000")
    assert validate(get("kernel.numa_balancing"), 2).startswith("2 is outside 0 to 1")


def test_size_dependent_gaps():
    fraction = get("vm.percpu_pagelist_high_fraction")
    assert validate(fraction, 0) is validate(fraction, 8) is None
    assert validate(fraction, 7).startswith("7 is outside")


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("vm.dirty_bytes", "vm.dirty_ratio"),
        ("vm.dirty_background_bytes", "vm.dirty_background_ratio"),
        ("vm.overcommit_kbytes", "vm.overcommit_ratio"),
    ],
)
def test_a_zero_that_only_says_that_the_twin_counts_is_read_but_never_written(name, twin):
    tunable = get(name)
    assert validate(tunable, 0, writing=False) is None
    assert validate(tunable, 0) == f"0 cannot be written: write {twin} instead"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("vm.swappiness", "60\n", 60),
        ("thp.enabled", "always madvise [never]\n", "never"),
        ("thp.enabled", "madvise", "madvise"),
        ("thp.defrag", "always defer [defer+madvise] madvise never", "defer+madvise"),
        ("lru_gen.enabled", "0x0007", 7),
        ("lru_gen.enabled", "7", 7),
        ("vm.lowmem_reserve_ratio", "256\t256\t32\t0\t0\n", (256, 256, 32, 0, 0)),
        ("zswap.enabled", "Y\n", True),
        ("numa.demotion_enabled", "false", False),
        ("vm.oom_dump_tasks", "1", True),
        ("vm.dirty_bytes", "512 MiB", 512 << 20),
        ("vm.min_free_kbytes", "1GiB", 1 << 20),
        ("vm.min_free_kbytes", 4096, 4096),
        ("zswap.compressor", "zstd", "zstd"),
        ("cgroup.memory.max", "max", "max"),
        ("cgroup.memory.max", "1073741824", 1 << 30),
        ("cgroup.memory.limit_in_bytes", "-1", -1),
        ("boot.psi", "BOOT_IMAGE=/vmlinuz root=/dev/vda psi=0 ro psi=1", "1"),
        ("vm.oom_dump_tasks", True, True),
    ],
)
def test_values_are_read(name, text, value):
    assert parse_value(get(name), text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("vm.swappiness", ""),
        ("vm.swappiness", "banana"),
        ("vm.swappiness", "6 0"),
        ("vm.swappiness", "60 MiB"),
        ("vm.swappiness", "1.5"),
        ("vm.swappiness", "0x10"),
        ("vm.swappiness", "٦٠"),
        ("vm.swappiness", "9" * 30),
        ("vm.swappiness", "99999999999999999999"),
        ("vm.swappiness", "60\0"),
        ("vm.swappiness", None),
        ("vm.swappiness", 6.5),
        ("vm.swappiness", True),
        ("vm.min_free_kbytes", "100 B"),
        ("thp.enabled", "on"),
        ("thp.enabled", True),
        ("thp.enabled", "always madvise never"),
        ("thp.enabled", "[always] [never]"),
        ("zswap.enabled", "on"),
        ("vm.lowmem_reserve_ratio", "256 x"),
        ("zswap.compressor", "two words"),
        ("boot.psi", "root=/dev/vda ro"),
    ],
)
def test_nonsense_is_refused_by_name(name, text):
    with pytest.raises(AdvisorError, match=re.escape(name)):
        parse_value(get(name), text)


def test_a_yaml_boolean_is_explained():
    with pytest.raises(AdvisorError, match="quotes"):
        parse_value(get("thp.enabled"), False)


@given(
    st.sampled_from(NAMES),
    st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")),
)
def test_any_text_is_read_or_refused(name, text):
    tunable = TUNABLES[name]
    try:
        value = parse_value(tunable, text)
    except AdvisorError:
        return
    assert parse_value(tunable, format_value(tunable, value)) == value


@given(st.sampled_from([n for n in NAMES if TUNABLES[n].kind in {"int", "action"}]), st.integers(-1, 2**64 - 1))
def test_any_number_survives_being_written_and_read(name, number):
    tunable = TUNABLES[name]
    if number >= 0 or not tunable.hexadecimal:
        assert parse_value(tunable, format_value(tunable, number)) == number


def test_values_of_the_wrong_type_are_not_written():
    for name, value in [
        ("vm.swappiness", "60"),
        ("vm.swappiness", True),
        ("thp.enabled", 1),
        ("zswap.enabled", 1),
    ]:
        with pytest.raises(AdvisorError):
            format_value(get(name), value)
        assert validate(get(name), value) is not None


def test_words_are_checked_against_what_the_kernel_offers():
    defrag = get("thp.defrag")
    old = offered("always madvise [never]")
    assert validate(defrag, "defer+madvise") is None
    assert validate(defrag, "defer+madvise", choices=old) == "defer+madvise is none of always, madvise, never"


def test_a_word_that_the_kernel_shows_but_we_do_not_know_is_read():
    assert parse_value(get("thp.enabled"), "always [sometimes] never") == "sometimes"
    assert validate(get("thp.enabled"), "sometimes", writing=False) is None
    assert validate(get("thp.enabled"), "sometimes") is not None


def test_names_and_paths_are_found_and_typos_corrected():
    assert get("/proc/sys/vm/swappiness") is get("proc/sys/vm/swappiness") is TUNABLES["vm.swappiness"]
    assert get("thp.hugepages-64kB.enabled").path.endswith("transparent_hugepage/hugepages-64kB/enabled")
    with pytest.raises(AdvisorError, match=r"did you mean 'vm\.swappiness'"):
        get("vm.swapiness")
    with pytest.raises(AdvisorError):
        get("")


def test_each_size_of_huge_page_behaves_like_the_global_setting():
    tunable = get("thp.hugepages-2048kB.enabled")
    assert parse_value(tunable, "always [inherit] madvise never") == "inherit"
    assert (tunable.changes, tunable.order) == (
        TUNABLES["thp.enabled"].changes,
        TUNABLES["thp.enabled"].order,
    )


def test_order_of_writing():
    wanted = [
        "thp.enabled",
        "vm.min_free_kbytes",
        "vm.watermark_scale_factor",
        "vm.swappiness",
        "vm.compact_memory",
    ]
    assert [tunable.name for tunable in apply_order(map(get, reversed(wanted)))] == wanted


@pytest.mark.parametrize(
    ("name", "before", "writes"),
    [
        ("vm.swappiness", {"vm.swappiness": 60}, [("vm.swappiness", 60)]),
        ("vm.dirty_bytes", {"vm.dirty_bytes": 0, "vm.dirty_ratio": 20}, [("vm.dirty_ratio", 20)]),
        ("vm.dirty_ratio", {"vm.dirty_bytes": 0, "vm.dirty_ratio": 20}, [("vm.dirty_ratio", 20)]),
        ("vm.dirty_ratio", {"vm.dirty_bytes": 1 << 30, "vm.dirty_ratio": 0}, [("vm.dirty_bytes", 1 << 30)]),
        (
            "vm.overcommit_kbytes",
            {"vm.overcommit_kbytes": 0, "vm.overcommit_ratio": 50},
            [("vm.overcommit_ratio", 50)],
        ),
        (
            "vm.overcommit_kbytes",
            {"vm.overcommit_kbytes": 0, "vm.overcommit_ratio": 0},
            [("vm.overcommit_ratio", 0)],
        ),
        (
            "thp.enabled",
            {"thp.enabled": "never", "vm.min_free_kbytes": 8192, "vm.swappiness": 60},
            [("thp.enabled", "never"), ("vm.min_free_kbytes", 8192)],
        ),
        ("thp.enabled", {"thp.enabled": "never"}, [("thp.enabled", "never")]),
    ],
)
def test_undo(name, before, writes):
    found = undo_writes(name, before)
    assert [(tunable.name, value) for tunable, value in found] == writes
    assert all(validate(tunable, value) is None for tunable, value in found)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("vm.compact_memory", {"vm.compact_memory": 1}),
        ("vm.swappiness", {}),
        ("vm.dirty_bytes", {"vm.dirty_bytes": 0}),
    ],
)
def test_no_undo_without_the_old_values_or_for_an_action(name, before):
    assert undo_writes(name, before) is None


class Kernel:
    """Enough of a kernel to see whether an undo brings the old state back."""

    def __init__(self, values):
        self.values = dict(values)

    def write(self, tunable, value):
        assert validate(tunable, value) is None
        self.values[tunable.name] = value
        for twin in tunable.coupled:
            self.values[twin] = 0


@pytest.mark.parametrize(
    ("byte", "ratio"),
    [("vm.dirty_bytes", "vm.dirty_ratio"), ("vm.overcommit_kbytes", "vm.overcommit_ratio")],
)
@given(data=st.data())
def test_undo_restores_a_pair_whatever_was_written(byte, ratio, data):
    amount, share = st.integers(1 << 20, 1 << 40), st.integers(1, 100)
    start = data.draw(st.one_of(amount.map(lambda n: {byte: n, ratio: 0}), share.map(lambda n: {byte: 0, ratio: n})))
    name, value = data.draw(st.one_of(amount.map(lambda n: (byte, n)), share.map(lambda n: (ratio, n))))
    kernel = Kernel(start)
    kernel.write(get(name), value)
    for tunable, old in undo_writes(name, start):
        kernel.write(tunable, old)
    assert kernel.values == start


def test_contradictions():
    assert contradictions({"vm.dirty_bytes": 1 << 29, "vm.dirty_ratio": 20})
    assert contradictions({"vm.dirty_background_ratio": 20, "vm.dirty_ratio": 20})
    assert contradictions({"vm.overcommit_memory": 2, "vm.overcommit_ratio": 0, "vm.overcommit_kbytes": 0})
    assert contradictions({"vm.dirty_background_ratio": 5, "vm.dirty_ratio": 20, "vm.dirty_bytes": 0}) == ()
    assert contradictions({}) == ()


def test_the_factor_grows_five_times_at_a_time_and_ends_at_two_percent():
    factor = get("vm.watermark_scale_factor")
    assert limit(factor, 300, 10, SIXTEEN_GIB).value == 50
    assert limit(factor, 300, 150, SIXTEEN_GIB).value == 200
    assert limit(factor, 300, 150, SIXTEEN_GIB, approved=True).value == 300
    assert limit(factor, 20, 10, SIXTEEN_GIB) == Limited(20, ())
    assert "at most 5 times" in limit(factor, 300, 10, SIXTEEN_GIB).because[-1]


def test_a_limit_stops_a_change_but_never_turns_it_round():
    factor, reserve = get("vm.watermark_scale_factor"), get("vm.min_free_kbytes")
    assert limit(factor, 800, 500, SIXTEEN_GIB).value == 500
    assert limit(reserve, 1024, 32768, SIXTEEN_GIB).value == 32768
    assert limit(reserve, 1024, 400_000, SIXTEEN_GIB).value == 67584


def test_the_reserve_keeps_to_its_floor_and_its_share_of_memory():
    reserve = get("vm.min_free_kbytes")
    assert limit(reserve, 10**7, 67584, SIXTEEN_GIB).value == (16 << 20) * 3 // 100
    assert limit(reserve, 10**7, 67584, SIXTEEN_GIB, approved=True).value == (16 << 20) * 5 // 100
    tiny = HostFacts(managed_pages=1 << 18, auto_min_free=4096, thp_floor=52428)
    assert tiny.managed_kib * 3 // 100 < 52428
    assert limit(reserve, 10**7, 4096, tiny).value == 52428
    assert reserve.clamp(HostFacts(managed_pages=100)).lo == 1024


def test_bounds_of_the_kernel_have_the_last_word():
    swappiness = get("vm.swappiness")
    assert limit(swappiness, 160, 60, SIXTEEN_GIB).value == 100
    recent = HostFacts(managed_pages=4 << 20, features=frozenset({"proc/vmstat pgscan_anon"}))
    assert limit(swappiness, 160, 60, recent).value == 160


def test_words_and_lists_have_no_limit():
    assert limit(get("thp.enabled"), "never", "always", SIXTEEN_GIB) == Limited("never", ())
    ratio = get("vm.lowmem_reserve_ratio")
    assert limit(ratio, (256, 32), None, SIXTEEN_GIB) == Limited((256, 32), ())


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(1, 1 << 30), st.booleans())
def test_a_limited_value_lies_between_the_present_and_the_wanted_one(wanted, current, pages, approved):
    host = HostFacts(managed_pages=pages, auto_min_free=4096)
    for name in ("vm.min_free_kbytes", "vm.watermark_scale_factor", "vm.swappiness"):
        value = limit(get(name), wanted, current, host, approved=approved).value
        bounds = get(name).bounds[-1]
        if bounds.lo <= current <= bounds.hi:
            assert (value - current) * (wanted - current) >= 0


def test_a_setting_of_its_own_can_be_described():
    own = Tunable("vm.of_mine", "int", "For a test", bounds=(Bounds(0, 3, "three"),))
    assert own.path == "proc/sys/vm/of_mine"
    assert own.docs.endswith("vm.html#of-mine")
    assert own.clamp(SIXTEEN_GIB) is None
