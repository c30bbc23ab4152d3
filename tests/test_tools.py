import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.errors import ParseError
from advisor.parse import tools
from advisor.parse.swaps import SwapDevice
from advisor.parse.tools import Free, Swapon, Top, VmstatTable, parse_free, parse_swapon, parse_top, parse_vmstat
from tests.fixtures import INCIDENTS

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def incident(name: str, tool: str) -> str:
    return (INCIDENTS / name / f"{tool}.txt").read_text()


def test_nothing_is_read_from_a_path():
    assert not tools.READS


# --- free


def test_free_of_an_incident_with_decimal_commas():
    found = parse_free(incident("low-free-is-not-pressure", "free"))
    assert found == Free(
        total=15 * GIB,
        used=73 * GIB // 10,
        free=576 * MIB,
        shared=727 * MIB,
        buff_cache=77 * GIB // 10,
        available=61 * GIB // 10,
        swap_total=46 * GIB // 10,
        swap_used=6 * MIB,
        swap_free=46 * GIB // 10,
    )


def test_free_of_an_incident_in_mebibytes():
    found = parse_free(incident("swap-parked-but-memory-available", "free"))
    assert (found.total, found.available, found.buff_cache) == (7976 * MIB, 5318 * MIB, 2285 * MIB)
    assert (found.swap_total, found.swap_used, found.swap_free) == (711 * MIB, 605 * MIB, 106 * MIB)
    assert found.unit_assumed is True
    assert found.problems == ("the unit is not printed; MiB is assumed",)


FREE_KIB = """\
               total        used        free      shared  buff/cache   available
Mem:        24684092      985232    22351424        8856     1648968    23698860
Swap:              0           0           0
"""
FREE_WIDE = """\
               total        used        free      shared     buffers       cache   available
Mem:        24684092      985432    22351224        8856       27860     1621108    23698660
Swap:        2097148      524288     1572860
"""
FREE_OLD = """\
             total       used       free     shared    buffers     cached
Mem:       8061028    7918416     142612          0     161012    6311220
-/+ buffers/cache:    1446184    6614844
Swap:      4194296      10240    4184056
"""
FREE_ROWS = """\
               total        used        free      shared  buff/cache   available
Mem:           24105         962       21827           8        1610       23143
Low:           24105        2278       21827
High:              0           0           0
Swap:            511         100         411
Total:         24616        1062       22238
"""


def test_free_in_kibibytes_is_known_by_whole_pages():
    found = parse_free(FREE_KIB)
    assert (found.total, found.available, found.swap_total) == (24684092 * KIB, 23698860 * KIB, 0)
    assert (found.unit_assumed, found.problems) == (False, ())


def test_free_in_wide_columns():
    found = parse_free(FREE_WIDE)
    assert (found.buffers, found.cache, found.buff_cache) == (27860 * KIB, 1621108 * KIB, None)
    assert (found.available, found.swap_used) == (23698660 * KIB, 524288 * KIB)


def test_free_in_the_old_layout():
    found = parse_free(FREE_OLD)
    assert (found.buffers, found.cache, found.available) == (161012 * KIB, 6311220 * KIB, None)
    assert (found.total, found.swap_free) == (8061028 * KIB, 4184056 * KIB)


def test_free_with_more_rows():
    found = parse_free(FREE_ROWS)
    assert (found.total, found.available) == (24105 * MIB, 23143 * MIB)
    assert (found.swap_total, found.swap_free) == (511 * MIB, 411 * MIB)


def test_free_in_another_language():
    text = (
        "              total       utilisé      libre     partagé tamp/cache   disponible\n"
        "Mem:       24684092      985232    22351424        8856     1648968    23698860\n"
        "Partition d'échange:       2097148      524288     1572860\n"
        "Échange:       2097148      524288     1572860\n"
    )
    assert (parse_free(text).available, parse_free(text).swap_used) == (23698860 * KIB, 524288 * KIB)


def test_free_in_bytes_and_in_gibibytes():
    in_bytes = "\n".join(
        " ".join(str(int(word) * KIB) if word.isdigit() else word for word in line.split())
        for line in FREE_KIB.splitlines()
    )
    assert parse_free(in_bytes + "\n").total == 24684092 * KIB
    text = "  total used free shared buff/cache available\nMem:  62 3 10 0 49 58\nSwap: 7 0 7\n"
    assert (parse_free(text).total, parse_free(text).unit_assumed) == (62 * GIB, True)


def test_free_that_repeats_itself_gives_the_last_table():
    assert parse_free(FREE_KIB + "\n" + FREE_WIDE).used == 985432 * KIB


def test_free_whose_second_table_is_cut_off_gives_the_first():
    text = FREE_KIB.replace("Swap:", "Échange:")
    found = parse_free(text + "Mem:        24684092      985232    22351424\n")
    assert (found.available, found.swap_total) == (23698860 * KIB, 0)


def test_free_without_swap_row():
    found = parse_free("".join(FREE_KIB.splitlines(keepends=True)[:2]))
    assert (found.total, found.swap_total) == (24684092 * KIB, None)


# --- top

TOP_KIB = """\
top - 10:01:02 up 3 days,  1:02,  2 users,  load average: 0.49, 0.66, 0.51
Tasks: 390 total,   2 running, 388 sleeping,   0 stopped,   0 zombie
%Cpu(s):  2.0 us,  1.0 sy,  0.0 ni, 87.5 id,  9.5 wa,  0.0 hi,  0.0 si,  0.0 st
KiB Mem :  8061028 total,   142612 free,  1446184 used,  6472232 buff/cache
KiB Swap:  4194296 total,  4184056 free,    10240 used.  6114844 avail Mem
"""
TOP_OLD = """\
Cpu(s):  0.7%us,  0.3%sy,  0.0%ni, 98.9%id,  0.1%wa,  0.0%hi,  0.0%si,  0.0%st
Mem:   8061028k total,  7918416k used,   142612k free,   161012k buffers
Swap:  4194296k total,    10240k used,  4184056k free,  6311220k cached
"""


def test_top_of_an_incident():
    found = parse_top(incident("swap-full-idle-node", "top"))
    assert (found.total, found.free) == (119607 * MIB // 10, 3519 * MIB // 10)
    assert (found.used, found.buff_cache) == (63798 * MIB // 10, 55554 * MIB // 10)
    assert (found.idle, found.iowait, found.cpu_lines) == (1.0, 0.0, 2)
    assert (found.available, found.swap_total) == (None, None)


def test_top_in_kibibytes():
    found = parse_top(TOP_KIB)
    assert (found.total, found.free, found.available) == (8061028 * KIB, 142612 * KIB, 6114844 * KIB)
    assert (found.swap_total, found.swap_free, found.swap_used) == (4194296 * KIB, 4184056 * KIB, 10240 * KIB)
    assert (found.idle, found.iowait, found.cpu_lines) == (0.875, 0.095, 1)


def test_top_of_procps_3_2():
    found = parse_top(TOP_OLD)
    assert (found.used, found.buffers, found.cache) == (7918416 * KIB, 161012 * KIB, 6311220 * KIB)
    assert (found.swap_used, found.idle, found.iowait) == (10240 * KIB, pytest.approx(0.989), pytest.approx(0.001))


def test_top_takes_the_mean_of_processors():
    text = "%Cpu0  : 0,0 us, 0,0 sy, 0,0 ni, 90,0 id, 10,0 wa\n%Cpu1  : 0,0 us,  0,0 sy, 0,0 ni,100,0 id, 0,0 wa\n"
    assert (parse_top(text).idle, parse_top(text).iowait) == (0.95, 0.05)


def test_top_gives_the_last_screen():
    assert parse_top(TOP_KIB.replace("87.5 id", "11.0 id") + TOP_KIB).idle == 0.875


def test_a_number_that_top_cut_off_is_unknown():
    found = parse_top("KiB Mem : 13180744+total,   142612 free, 10240000 used, 12345678+buff/cache\n")
    assert (found.total, found.buff_cache, found.free) == (None, None, 142612 * KIB)
    assert found.problems == ("Mem total is cut off: 13180744+", "Mem buff/cache is cut off: 12345678+")


def test_processors_drawn_as_bars_say_nothing():
    text = (
        "%Cpu(s):  16.7/8.3    25[|||||||    ]\nMiB Mem : 11960.7 total, 351.9 free, 6379.8 used, 5555.4 buff/cache\n"
    )
    assert (parse_top(text).idle, parse_top(text).free) == (None, 3519 * MIB // 10)


# --- vmstat


def test_vmstat_of_an_incident():
    found = parse_vmstat(incident("kswapd-busy-on-tiny-normal-zone", "vmstat"))
    assert (found.rows, found.si, found.so) == (4, 0.0, 0.0)
    assert found.bi == (2324 + 3824 + 2048 + 5008) * KIB / 4
    assert found.bo == 16 * KIB / 4
    assert (found.wa, found.id, found.us, found.sy) == (0.02, 0.955, 0.0075, 0.02)
    assert (found.swpd, found.free) == (296480 * KIB, 382160 * KIB)
    assert (found.buff, found.cache) == (9740 * KIB, 2481896 * KIB)


VMSTAT = """\
procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st
 9  9      8  22352  27976 162120   99   99   999   999  108  147 17  2 81  0  0
 2  1     16  22348  27976 162120  100   40    10    20  337  115 50  0 40 10  0
 4  3     24  22344  27976 162120  200    0    30     0  337  115 50  0 20 30  0
"""


def test_vmstat_leaves_the_first_row_out():
    found = parse_vmstat(VMSTAT)
    assert (found.rows, found.si, found.so, found.bi, found.bo) == (2, 150 * KIB, 20 * KIB, 20 * KIB, 10 * KIB)
    assert (found.r, found.b, found.id, found.wa, found.swpd) == (3.0, 2.0, 0.3, 0.2, 24 * KIB)


def test_vmstat_of_one_row_has_memory_and_no_rates():
    found = parse_vmstat("".join(VMSTAT.splitlines(keepends=True)[:3]))
    assert (found.rows, found.si, found.wa, found.free) == (0, None, None, 22352 * KIB)


def test_vmstat_with_repeated_headings_time_and_new_columns():
    heading, row = VMSTAT.splitlines()[1:3]
    heading, row = f"{heading} gu                 UTC\n", f"{row} 0 2026-11-24 20:53:02\n"
    text = heading + row + heading + row
    assert (parse_vmstat(text).rows, parse_vmstat(text).si) == (1, 99 * KIB)


def test_vmstat_in_other_units_says_nothing_of_memory():
    found = parse_vmstat(VMSTAT.replace("22344", "22345"))
    assert (found.free, found.si, found.bi, found.wa) == (None, None, 20 * KIB, 0.2)
    assert found.problems == ("memory is not in KiB, so it and the swap rates were left out",)


def test_vmstat_without_disk_columns():
    text = (
        " r  b   swpd   free  inact active   si   so us sy id wa\n"
        + " 3  0  0 22359128 1840580 149420 4 8 17  2 81  0\n" * 2
    )
    assert (parse_vmstat(text).si, parse_vmstat(text).bi, parse_vmstat(text).cache) == (4 * KIB, None, None)


def test_a_broken_row_of_vmstat_is_left_out():
    found = parse_vmstat(VMSTAT + " 4  3     24  22\n")
    assert (found.rows, found.si) == (2, 150 * KIB)
    assert found.problems == ("' 4  3     24  22' is not a row of vmstat",)


# --- swapon


def test_swapon_of_an_incident():
    found = parse_swapon(incident("swap-full-idle-node", "swapon"))
    assert found.devices == (SwapDevice("/dev/sda2", "partition", 976892 * KIB, 976836 * KIB, -2),)
    assert (found.total, found.used) == (976892 * KIB, 976836 * KIB)


def test_swapon_show():
    found = parse_swapon(
        "NAME      TYPE      SIZE   USED PRIO\n/dev/zram0 partition   2G 512.5M  100\n/a b file 976M 0B -2\n"
    )
    assert found.devices == (
        SwapDevice("/dev/zram0", "partition", 2 * GIB, 5125 * MIB // 10, 100),
        SwapDevice("/a b", "file", 976 * MIB, 0, -2),
    )
    assert parse_swapon("NAME TYPE SIZE USED PRIO\n/s file 4096 0 -2\n").total == 4096


def test_swapon_with_nothing_in_use():
    assert parse_swapon("Filename\t\t\tType\t\tSize\t\tUsed\t\tPriority\n") == Swapon(())


def test_a_broken_row_of_swapon_is_left_out():
    found = parse_swapon("Filename Type Size Used Priority\n/a file 8 9 -2\n/b file 8M 4 -2\n/c file 8 4 -2\n")
    assert [device.path for device in found.devices] == ["/c"]
    assert len(found.problems) == 2


# --- damage

TEXTS = {
    parse_free: [FREE_KIB, FREE_WIDE, FREE_OLD, FREE_ROWS, incident("low-free-is-not-pressure", "free")],
    parse_top: [TOP_KIB, TOP_OLD, incident("swap-full-idle-node", "top")],
    parse_vmstat: [VMSTAT, incident("kswapd-busy-on-tiny-normal-zone", "vmstat")],
    parse_swapon: [
        incident("swap-full-idle-node", "swapon"),
        "NAME TYPE SIZE USED PRIO\n/dev/zram0 partition 2G 512.5M 100\n",
    ],
}
every_tool = pytest.mark.parametrize("parse", TEXTS)


@every_tool
@pytest.mark.parametrize("text", ["", "\n", "\0", "x", "Mem: \n", "bash: free: command not found\n"])
def test_text_of_something_else_is_an_error(parse, text):
    with pytest.raises(ParseError, match="expected"):
        parse(text)


def values(found: Free | Top | VmstatTable | Swapon) -> set[tuple[str, object]]:
    left_out = ("problems", "unit_assumed", "cpu_lines", "rows", "idle", "iowait")
    return {
        (field.name, value)
        for field in dataclasses.fields(found)
        if field.name not in left_out and (value := getattr(found, field.name)) not in (None, ())
    }


@pytest.mark.parametrize("text", TEXTS[parse_free] + TEXTS[parse_top] + TEXTS[parse_swapon])
def test_a_text_cut_anywhere_says_nothing_new(text):
    parse = next(parse for parse, texts in TEXTS.items() if text in texts)
    whole = values(parse(text))
    for end in range(len(text)):
        try:
            found = parse(text[:end])
        except ParseError:
            continue
        if not getattr(found, "unit_assumed", False):
            assert values(found) - whole == set(), end


def test_a_cut_row_of_vmstat_is_left_out():
    found = parse_vmstat(VMSTAT[:-4])
    assert (found.rows, found.si) == (1, 100 * KIB)
    assert len(found.problems) == 2


def survives(parse, text: str) -> None:
    try:
        found = parse(text)
    except ParseError:
        return
    for _, value in values(found):
        assert not isinstance(value, (int, float)) or 0 <= value < 2**64


@every_tool
def test_damaged_text_never_raises_anything_else(parse):
    chance = random.Random(3)
    scraps = [
        "",
        "-",
        "٣",
        "9" * 30,
        "\0",
        "\n",
        ",",
        "+",
        "Gi",
        "Mem:",
        "Swap:",
        "total",
        "NAME TYPE SIZE USED PRIO\n",
        "²",
    ]
    for _ in range(600):
        text = chance.choice(TEXTS[parse])
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(text) + 1)
            text = text[:at] + chance.choice(scraps) + text[at + chance.randrange(6) :]
        survives(parse, text)


@every_tool
@settings(deadline=None, max_examples=60)
@given(text=st.one_of(st.text(), st.text(st.sampled_from("Mem:Swaptolfr 0123456789.,KMGi%Cpuidwa\n+"), max_size=120)))
def test_any_text_never_raises_anything_else(parse, text):
    survives(parse, text)
