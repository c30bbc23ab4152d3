"""Classes: one value for each, who stands out by what, and values copied across sizes."""

import json
from dataclasses import replace
from statistics import NormalDist

import pytest

from advisor.capture.write import write_capture
from advisor.cli import main
from advisor.fleet.classes import LEAST, Host, class_of, classes, copied
from advisor.fleet.robust import FAR, MATERIAL, odd_ones
from advisor.record import replace as changed
from tests.test_policy import host

GIB = float(1 << 30)


def alike(number, *, size=15.6 * GIB, role=None, proposals=None, **values):
    base = {"memory.total": size, "host.kernel": "6.12.1", "vm.swappiness": 60.0, "memory.available_share": 0.5,
            "vm.min_free_kbytes": 67584 * 1024.0, "watermark.default_min_free": 67584 * 1024.0}  # fmt: skip
    return Host(f"h{number}", role, base | {k.replace("__", "."): v for k, v in values.items()}, proposals or {})


def test_a_class_is_size_kernel_and_role():
    values = {"memory.total": 15.6 * GIB, "host.kernel": "4.18.0-553.el8_10.x86_64"}
    assert class_of(values, "database") == "16 GiB · Linux 4.18 el8 · database"
    assert class_of({"memory.total": 16.0 * GIB, "host.kernel": "4.18.0-477.el8_8.x86_64"}, "database") == class_of(
        values, "database"
    )
    assert class_of({"memory.total": None, "host.kernel": None}, None) == ""


def test_hosts_of_other_sizes_kernels_and_roles_are_not_mixed():
    mixed = [alike(1), alike(2, size=30.9 * GIB), alike(3, host__kernel="6.1.4"), alike(4, role="jvm"), alike(5)]
    assert [(c.name, c.hosts) for c in classes(mixed)] == [
        ("16 GiB · Linux 6.12", 2), ("16 GiB · Linux 6.1", 1), ("16 GiB · Linux 6.12 · jvm", 1),
        ("32 GiB · Linux 6.12", 1),
    ]  # fmt: skip


def test_the_value_of_a_class_is_one_that_a_host_asked_for_and_its_spread_is_told():
    asked = [90112, 90112, 98304, 131072, 1048576]
    hosts = [alike(n, proposals={"vm.min_free_kbytes": value}) for n, value in enumerate(asked)] + [alike(9)]
    (found,) = classes(hosts)
    (advised,) = found.advised
    assert (advised.value, advised.lowest, advised.highest, advised.hosts) == (98304, 90112, 1048576, 5)


def test_where_only_deviants_ask_the_class_keeps_what_most_have():
    hosts = [alike(n) for n in range(9)]
    odd = alike(9, vm__min_free_kbytes=float(1 << 30), proposals={"vm.min_free_kbytes": 166966})
    (found,) = classes([*hosts, odd])
    (advised,) = found.advised
    assert (advised.value, advised.lowest, advised.hosts, advised.of_most) == (67584, 166966, 1, True)


def test_a_setting_that_few_have_otherwise_is_told_in_its_own_unit():
    hosts = [alike(n) for n in range(9)] + [alike(9, vm__swappiness=1.0)]
    (found,) = classes(hosts)
    (deviation,) = found.deviations
    assert (deviation.setting, deviation.usual, deviation.share) == ("vm.swappiness", 60, 0.9)
    assert deviation.others == (("h9", 1),)


def test_half_and_half_is_no_deviation():
    (found,) = classes([alike(n, vm__swappiness=float(n % 2)) for n in range(20)])
    assert found.deviations == ()


def test_an_outlier_is_explained_by_the_signals_that_set_it_apart():
    hosts = [alike(n, memory__available_share=0.45 + n / 100) for n in range(11)]
    sick = alike(99, memory__available_share=0.02, psi__memory__some=0.6)
    hosts = [changed(h, values={**h.values, "psi.memory.some": 0.001 * n}) for n, h in enumerate(hosts)]
    sick = changed(sick, values={**sick.values, "psi.memory.some": 0.6})
    (found,) = classes([*hosts, sick])
    (outlier,) = found.outliers
    assert outlier.host == "h99"
    assert [odd.signal for odd in outlier.why] == ["psi.memory.some", "memory.available_share"]
    assert outlier.why[0].value == 0.6
    assert 0.003 < outlier.why[0].middle < 0.007


def test_few_hosts_have_no_outliers():
    hosts = [alike(n) for n in range(LEAST - 2)] + [alike(99, memory__available_share=0.0, vm__swappiness=1.0)]
    (found,) = classes(hosts)
    assert found.outliers == ()
    assert found.deviations == ()
    assert classes([alike(50), *hosts])[0].outliers != ()


def test_normal_hosts_rarely_stand_out():
    # 3.5 standard deviations: one host of two thousand.
    spread = NormalDist(0.5, 0.1)
    values = [(n, spread.inv_cdf((n + 0.5) / 2000)) for n in range(2000)]
    assert len(odd_ones("x", values)) <= 2


def test_a_third_of_odd_hosts_does_not_hide_itself():
    values = [(n, 0.5 + n / 1000) for n in range(20)] + [(n, 0.95) for n in range(20, 30)]
    assert [place for place, _odd in odd_ones("x", values)] == list(range(20, 30))


def test_differences_that_mean_nothing_are_not_told():
    values = [(n, 0.0) for n in range(20)] + [(20, MATERIAL * 0.99)]
    assert odd_ones("x", values) == []
    ((_place, odd),) = odd_ones("x", [*values[:20], (20, MATERIAL * 1.01)])
    assert odd.score >= FAR


def test_one_reserve_on_every_size_is_found_with_what_the_kernel_would_have():
    sizes = [4, 16, 64, 256]
    hosts = [alike(n, size=n * GIB, vm__min_free_kbytes=float(1 << 30), watermark__default_min_free=n * 2.0**20)
             for n in sizes]  # fmt: skip
    (found,) = copied(hosts)
    assert found.value == 1 << 20
    assert found.hosts == ("h4", "h16", "h64", "h256")
    assert (found.smallest, found.largest, found.share) == (4 * GIB, 256 * GIB, 0.25)
    assert (found.own_least, found.own_most) == (4096, 256 << 10)


def test_what_the_kernel_gives_many_sizes_alike_is_no_copy():
    # The rule of transparent huge pages: 11 pageblocks for each of three zones, from 5 GiB to any size.
    assert copied([alike(n, size=n * GIB) for n in (8, 16, 64, 256)]) == ()
    near = [alike(n, size=n * GIB, vm__min_free_kbytes=90000 * 1024.0) for n in (14, 15, 16, 17)]
    assert copied(near) == ()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Ten databases of 16 GiB, one of which suffers and one of which has another swappiness; four sizes."""
    folder = tmp_path_factory.mktemp("classes")
    (folder / "in").mkdir()
    hosts = {f"db{n}": host() for n in range(10)}
    hosts["db3"] = replace(hosts["db3"], counters={**hosts["db3"].counters, "allocstall_normal": 5000}, full=0.3)
    hosts["db7"] = host(vm_swappiness=1)
    for pages in (1 << 18, 1 << 20, 1 << 23):
        copy = host(vm_min_free_kbytes=300_000)
        hosts[f"copy{pages}"] = replace(copy, managed=(("DMA", 3840), ("DMA32", pages - 3840)))
    for name, one in hosts.items():
        write_capture(changed(one.capture(), host=name), str(folder / "in" / f"{name}.tar.gz"))
    assert main(["fleet", "ingest", str(folder / "in"), "-o", str(folder / "store")]) == 0
    return folder


def test_classes_of_a_store_are_told_with_their_outliers(store, capsys):
    policy = store / "policy.yml"
    policy.write_text("policy: p\ngroups: {db: {hosts: 'db*', role: database, require: {vm.swappiness: '<= 60'}}}\n")
    assert main(["fleet", "classes", str(store / "store"), "--policy", str(policy)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "16 GiB · kernel unknown · database 10 hosts" in out
    assert "vm.swappiness is 60 on 90%; db7 1" in out
    assert "stands out db3: psi.memory." in out
    assert "vm.min_free_kbytes is 300000 on 3 hosts from" in out
    assert main(["fleet", "classes", str(store / "store"), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "memadvisor/fleet-classes/1"
    (copy,) = answer["copied"]
    assert copy["value"] == 300_000
    assert len(copy["hosts"]) == 3


def test_what_the_policy_wants_becomes_the_value_of_the_class(store, capsys):
    policy = store / "wanted.yml"
    policy.write_text("policy: p\nrequire: {vm.swappiness: '<= 10'}\n")
    assert main(["fleet", "classes", str(store / "store"), "--policy", str(policy), "--format", "json"]) == 0
    largest = json.loads(capsys.readouterr().out)["classes"][0]
    assert largest["hosts"] == 10
    advised = {each["setting"]: each for each in largest["advised"]}
    own = advised["vm.swappiness"]
    assert (own["value"], own["lowest"], own["highest"], own["hosts"], own["of_most"]) == (10, 10, 10, 9, False)
