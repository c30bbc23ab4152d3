"""When memory is compacted, and when it is left alone. No kernel is asked to: the files are plain ones."""

import pytest

from advisor.capture.open import open_capture
from tests.fixtures import CAPTURES

pytest.importorskip("ansible.module_utils.basic", reason="ansible-core is not installed")

from ansible_collections.memadvisor.linux.plugins.module_utils import compaction
from ansible_collections.memadvisor.linux.plugins.module_utils.errors import TransactionError
from ansible_collections.memadvisor.linux.plugins.modules import compact_memory

HOST, NODE1 = "/proc/sys/vm/compact_memory", "/sys/devices/system/node/node1/compact"
LOOSE = [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 100]
SCATTERED = [9000, 7000, 5000, 900, 100, 10, 0, 0, 0, 0, 0]
DEFAULTS = {name: option.get("default") for name, option in compact_memory.ARGUMENTS.items()}


def buddyinfo(*nodes):
    lines = [f"Node {node}, zone {'Normal':>8} {' '.join(map(str, blocks))}" for node, blocks in enumerate(nodes)]
    return "\n".join(lines) + "\n"


def zoneinfo(*nodes, low=1000):
    return "".join(
        f"Node {n}, zone   Normal\n  pages free     9\n        low      {low}\n" for n, _ in enumerate(nodes)
    )


@pytest.fixture
def host(target):
    """Two nodes, the second one fragmented."""
    nodes = LOOSE, SCATTERED
    for path, text in {
        "/proc/buddyinfo": buddyinfo(*nodes), "/proc/zoneinfo": zoneinfo(*nodes), HOST: "", NODE1: "",
        "/proc/pressure/memory": "some avg10=0.50 avg60=0.0 avg300=0.0 total=1\nfull avg10=0.0\n",
        "/proc/cmdline": "root=/dev/vda quiet", "/proc/version": "Linux version 6.12.1 (x) #1 SMP PREEMPT_DYNAMIC",
    }.items():  # fmt: skip
        target.put(path, text)
    return target


def run(host, check=False, **options):
    return compact_memory.run({**DEFAULTS, "root": str(host.root), **options}, check)


def test_a_fragmented_host_is_compacted(host):
    told = run(host)
    assert (told["changed"], told["acted_on"], host.text(HOST), told["timed_out"]) == (True, ["host"], "1", False)
    assert told["reasons"] == [
        "node 0: 5% of free memory is in blocks below order 9 (at most 50% wanted)",
        "node 1: 100% of free memory is in blocks below order 9 (at most 50% wanted)",
    ]
    assert told["before"][1] == {"node": 1, "zone": "Normal", "free_blocks": SCATTERED, "unusable": 1.0}
    assert told["after"] == told["before"]


def test_check_mode_decides_alike_and_writes_nothing(host):
    foretold = run(host, check=True)
    assert (host.text(HOST), host.path("/var").exists()) == ("", False)
    assert foretold.items() <= run(host).items()


def test_only_the_nodes_that_need_it(host):
    told = run(host, nodes=[0, 1])
    assert (told["acted_on"], host.text(NODE1), host.text(HOST)) == (["1"], "1", "")
    assert not run(host, nodes=[0], cooldown=0)["changed"]


def test_not_again_so_soon(host):
    run(host)
    again = run(host)
    assert not again["changed"]
    assert "less than 3600 s" in again["reasons"][0]
    assert run(host, cooldown=0)["changed"]
    host.put("/proc/sys/kernel/random/boot_id", "another")
    assert run(host)["changed"]


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("/proc/buddyinfo", buddyinfo(LOOSE, LOOSE), "node 1: 5% of free memory"),
        ("/proc/zoneinfo", zoneinfo(1, 2, low=10**6), "no zone has the free memory"),
        ("/proc/zoneinfo", "", "no zone has the free memory"),
        (
            "/proc/pressure/memory",
            "some avg10=40.00 avg60=0\n",
            "tasks wait for memory 40 % of the time, more than 10 %",
        ),
        ("/proc/pressure/memory", "", "memory pressure is not known"),
        ("/sys/kernel/realtime", "1\n", "it is real-time"),
        ("/proc/version", "Linux version 5.10.0-rt #1 SMP PREEMPT_RT", "PREEMPT_RT"),
        ("/proc/version", "Linux version 4.18.0-rt #1 SMP PREEMPT RT", "PREEMPT_RT"),
        ("/proc/cmdline", "quiet isolcpus=2,3", "isolcpus= on the kernel command line"),
        ("/proc/cmdline", "nohz_full=1-7 quiet", "nohz_full="),
    ],
)
def test_left_alone_where_it_is_of_no_use_or_does_harm(host, path, text, told):
    host.put(path, text)
    result = run(host)
    assert (result["changed"], result["acted_on"], host.text(HOST)) == (False, [], "")
    assert told.replace("it is real-time", "the host is real-time") in "\n".join(result["reasons"])


def test_a_person_may_know_better(host):
    host.put("/sys/kernel/realtime", "1\n")
    host.path("/proc/pressure/memory").unlink()
    assert run(host, allow_realtime=True, max_pressure=100)["changed"]
    assert not run(host, min_blocks=0, cooldown=0, allow_realtime=True, max_pressure=100)["changed"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"order": 0}, "order is 0, not from 1 to 20"),
        ({"max_unusable": 2}, "from 0 to 1"),
        ({"timeout": 0}, "timeout is 0, not 1 or more"),
        ({"nodes": [7]}, "there is no node 7; there are 0, 1"),
    ],
)
def test_impossible_options_are_refused(host, options, told):
    with pytest.raises(TransactionError, match=told):
        run(host, **options)


def test_a_kernel_that_does_not_tell_is_an_error(host):
    host.put("/proc/buddyinfo", "garbage\n")
    with pytest.raises(TransactionError, match="does not tell of any zone"):
        run(host)


def test_what_cannot_be_written_is_told_and_does_not_count(host):
    host.path(HOST).unlink()
    with pytest.raises(TransactionError, match="compact_memory cannot be written: it does not exist"):
        run(host)
    host.put(HOST, "")
    assert run(host)["changed"]


def test_a_write_that_outlasts_its_time_is_told_to_stop(host):
    import os

    host.path(HOST).unlink()
    os.mkfifo(host.path(HOST))  # the write waits for a reader that never comes
    told = run(host, timeout=1)
    assert (told["changed"], told["timed_out"]) == (True, True)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.tar.xz")), ids=lambda path: path.name)
def test_what_real_kernels_print_is_understood(path, target):
    capture = open_capture(str(path))
    for name in ("proc/buddyinfo", "proc/zoneinfo"):
        target.put(name, capture.text(name))
    found = compaction.zones(str(target.root))
    assert len(found) == len(capture.text("proc/buddyinfo").splitlines())
    assert all(zone.low for zone in found)
    assert 0 <= compaction.unusable(found, 9) <= 1
