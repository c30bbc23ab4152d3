"""A redacted capture is judged as the whole one, and holds no name of the host it is of."""

import io
import json
import re
import string
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.analysis import analyse
from advisor.capture.model import Capture, Process, Sample
from advisor.capture.open import open_capture
from advisor.capture.pseudonyms import Pseudonyms
from advisor.capture.redact import NOTE, redact
from advisor.capture.redact_words import known
from advisor.capture.redact_words import redact as redact_words
from advisor.cli import main
from advisor.errors import ParseError
from advisor.parse import kernlog
from advisor.record import asdict, fields, replace
from advisor.report import formats
from advisor.report.as_json import document
from advisor.report.fleet import Since, from_documents
from advisor.report.redacted import redact as redact_fleet
from advisor.tunables import TUNABLES
from tests import kernlog_samples
from tests.fixtures import CAPTURES, INCIDENTS
from tests.reports import healthy, named, rules

# ruff: noqa: E501  (lines as the kernel prints them)

KEY = b"a key for tests 16"
SOURCES = [*sorted(CAPTURES.rglob("*.tar.xz")), *sorted(path for path in INCIDENTS.iterdir() if path.is_dir())]
SAMPLES = {name: text for name, text in vars(kernlog_samples).items() if name.isupper() and isinstance(text, str)}


def _finding(entry):
    """A finding without its names: texts of evidence and messages may hold some, entities do."""
    evidence = [
        (e["signal"], "text" if isinstance(e["value"], str) else e["value"], e["unit"], e["formula"])
        for e in entry["evidence"]
    ]
    kept = ("rule", "state", "severity", "confidence", "harm", "diagnosis", "windows", "not_ruled_out", "explained_by")
    missing = [m["signal"] for m in entry["missing"]]
    return repr(([entry[name] for name in kept], evidence, missing, [r["diagnosis"] for r in entry["ruled_out"]]))


def verdict(capture):
    """All that is said of a capture but names."""
    found = document(analyse(capture, rules()), everything=True)
    same = {name: found[name] for name in ("verdict", "thrash", "checks", "zones", "pressure")}
    same["findings"] = sorted(map(_finding, found["findings"]))
    same["plan"] = [
        {
            name: r[name]
            for name in ("setting", "kind", "current", "proposed", "direction", "limits", "risk", "predicted")
        }
        for r in found["recommendations"]
    ]
    same["held"] = [(loser["setting"], loser["rule"], loser["wanted"]) for loser in found["held_back"]]
    return same


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def test_a_redacted_capture_gets_the_same_verdict(source):
    capture = open_capture(str(source))
    assert verdict(redact(capture, KEY)) == verdict(capture)


NAMES = ("task", "victim", "memcg", "victim_memcg", "cpuset", "text")


def _numbers(report):
    return {name: value is not None if name in NAMES else value for name, value in asdict(report).items()}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_kernel_message_is_understood_as_before(name):
    text = SAMPLES[name]
    hidden = redact(Capture((Sample({}),), kernel_log=text), KEY).kernel_log
    try:
        whole = kernlog.parse(text)
    except ParseError:
        with pytest.raises(ParseError):
            kernlog.parse(hidden)
        return
    again = kernlog.parse(hidden)
    assert list(map(_numbers, again.reports)) == list(map(_numbers, whole.reports))
    assert [(m.kind, m.line, m.values) for m in again.messages] == [(m.kind, m.line, m.values) for m in whole.messages]


# What must not come out, wherever it stands.
HOST, FQDN, USER, PROCESS = "zanzibar07", "zanzibar07.corp.acme.example", "wilhelmina", "quuxdaemon"
GROUP, IPV4, IPV6, MAC = "tenant-umbrella", "198.51.100.77", "2001:db8:77::beef", "52:54:00:ab:cd:ef"
SECRETS = (
    HOST,
    FQDN,
    "acme",
    USER,
    PROCESS,
    GROUP,
    IPV4,
    IPV6,
    MAC,
    "umbrella",
    "hunter2",
    "0123456789abcdef",
    "b00b1e55",
    "fqdnmount",
    "sekretprof",
)
LOG = f"""\
[    0.000000] Linux version 6.1.0-18-amd64 (builder@{FQDN}) (gcc 12) #1 SMP
[    0.100000] Command line: root=UUID=hunter2 ip={IPV4}
[    5.000000] e1000: {MAC} link up for {HOST}, address {IPV6}
[  100.000000] {PROCESS} invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
[  100.000001] CPU: 1 PID: 4711 Comm: {PROCESS} Not tainted 6.1.0-18-amd64 #1
[  100.100000] Tasks state (memory values in pages):
[  100.100001] [  4711]  1000  4711   999999   888888  7000000        0             0 {PROCESS}
[  100.200000] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/{GROUP},task_memcg=/{GROUP}/{HOST},task={PROCESS},pid=4711,uid=1000
[  100.200001] Memory cgroup out of memory: Killed process 4711 ({PROCESS}) total-vm:4096000kB, anon-rss:3555552kB, file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:6836kB oom_score_adj:0
Jan 29 01:42:13 {HOST} sshd[12]: Failed password for {USER} from {IPV4} port 22
"""


def planted() -> Capture:
    """A capture with every secret in every place that may hold one."""
    group = f"sys/fs/cgroup/{GROUP}/{HOST}"
    files = {
        "proc/sys/kernel/hostname": HOST + "\n",
        "proc/version": f"Linux version 6.1.0-18-amd64 ({USER}@{FQDN}) (gcc {PROCESS}) #1 SMP PREEMPT_DYNAMIC\n",
        "proc/cmdline": f"BOOT_IMAGE=/boot/{HOST} psi=1 root=UUID=hunter2 ip={IPV4}::x:{HOST} quiet mem=acme{USER}/2\n",
        "proc/mounts": f"{FQDN}:/srv/{USER} /mnt/fqdnmount nfs4 rw,addr={IPV4},username={USER} 0 0\n",
        "proc/swaps": f"Filename\tType\tSize\tUsed\tPriority\n/home/{USER}/swap.{HOST} file 1048572 0 -2\n",
        "proc/slabinfo": f"slabinfo - version: 2.1\nkmalloc-64(12:{GROUP}) 1 1 64 64 1 : tunables 0 0 0 : slabdata 1 1 0\n",
        "etc/os-release": f'ID=debian\nHOME_URL="https://{FQDN}/"\n',
        "etc/sysctl.conf": f"# {HOST} by {USER}\nkernel.hostname = {HOST}\nvm.swappiness = 10 # {USER}\n",
        f"etc/sysctl.d/60-{HOST}.conf": f"vm.swappiness = 5\nkernel.core_pattern=|/opt/{USER}/%p\n; {IPV4}\n",
        f"etc/tmpfiles.d/{HOST}.conf": f"d /srv/{USER} 0700 {USER} {USER}\nw /sys/kernel/mm/ksm/run - - - - 1\n",
        "etc/tuned/active_profile": "sekretprof\n",
        "etc/tuned/sekretprof/tuned.conf": f"[main]\nsummary={FQDN}\ninclude=sekretprof,postgresql\n[script]\nscript={USER}.sh\n",
        "etc/sysconfig/saptune": f'TUNE_FOR="{USER}"\n',
        f"{group}/memory.current": "1000\n",
        f"{group}/memory.max": "1000\n",
        f"{group}/memory.events": "low 0\nhigh 0\nmax 9\noom 9\noom_kill 9\n",
        f"sys/block/{HOST}/queue/rotational": "1\n",
        "sys/block/zram0/backing_dev": f"/dev/mapper/{HOST}\n",
        f"srv/{USER}/notes": HOST,
        "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
        "proc/sys/kernel/random/boot_id": "b00b1e55-1111-2222-3333-444455556666\n",
        "var/lib/kubelet/config.yaml": f"kind: KubeletConfiguration\nclusterDomain: {FQDN}\nprotectKernelDefaults: true\n",
        "etc/rc.local": f"#!/bin/sh -e {USER}\nmount {HOST}:/srv /mnt\necho 5 > /proc/sys/vm/swappiness\nsysctl -w vm.swappiness=5\n",
        f"etc/systemd/system/disable-{HOST}.service": f"[Unit]\nDescription=by {USER}\n[Service]\nExecStart=/opt/{USER}/x\n",
        "run/saptune/parameter/vm.swappiness": "10\n",
        "etc/ufw/sysctl.conf": f"# {USER}\nnet/ipv4/conf/{HOST}/rp_filter=1\nvm/swappiness=3\n",
        "proc/uptime": "1000.0 1.0\n",
    }
    return Capture(
        (Sample(files, 1.0, 1.79e9),),
        host=FQDN,
        source=f"/home/{USER}/{HOST}.tar.gz",
        kernel_log=LOG,
        tools={"top": f"top - 10:00:00 up 1 day\n 4711 {USER} 20 0 1g 1g 1m S 1.0 9.0 1:00.00 {PROCESS}\n", USER: HOST},
        processes=(Process(4711, PROCESS, 1 << 30, flags=("java",)),),
        unread={f"{group}/memory.stat": "permission denied", f"etc/{HOST}/*": "permission denied"},
        links={f"etc/sysctl.d/{HOST}-b.conf": f"/srv/{USER}/x.conf", "etc/sysctl.d/99-sysctl.conf": "../sysctl.conf"},
        notes=(f"/home/{USER}/{HOST}: larger than 32 MiB, not read; {HOST} at {IPV4}",),
    )


def leaks(text):
    return [secret for secret in SECRETS if secret.lower() in text.lower()]


def test_no_planted_secret_is_left_in_the_capture():
    before = {name: getattr(planted(), name) for name in fields(Capture)}
    assert leaks(repr(before)) == list(SECRETS)
    after = redact(planted(), KEY)
    for sample in after.samples:
        for path, text in sample.files.items():
            assert leaks(path + text) == [], path
    assert leaks(after.kernel_log) == []
    assert leaks(repr({name: getattr(after, name) for name in fields(Capture)})) == []
    assert NOTE in after.notes


@pytest.mark.parametrize("form", formats.HOST)
def test_no_planted_secret_is_left_in_any_report(form):
    whole, hidden = (
        formats.host(form, analyse(c, rules()), everything=True) for c in (planted(), redact(planted(), KEY))
    )
    assert leaks(hidden) == []
    if form not in {"prometheus", "nagios"}:
        assert leaks(whole)


def test_what_was_planted_is_judged_the_same():
    assert verdict(redact(planted(), KEY)) == verdict(planted())


def test_what_is_needed_is_kept():
    after = redact(planted(), KEY).samples[0].files
    assert after["proc/cmdline"] == "psi=1 quiet\n"
    assert after["etc/tuned/active_profile"].startswith("profile-")
    profile = after["etc/tuned/active_profile"].strip()
    assert f"include={profile},postgresql" in after[f"etc/tuned/{profile}/tuned.conf"]
    assert "w /sys/kernel/mm/ksm/run - - - - 1" in after[next(path for path in after if "tmpfiles.d" in path)]
    assert after["proc/version"].startswith("Linux version 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC")
    assert " nfs4 rw 0 0" in after["proc/mounts"]
    assert not {"etc/rc.local", "var/lib/kubelet/config.yaml"} & after.keys()  # scripts may hold passwords
    assert re.fullmatch(r"[0-9a-f]{32}\n", after["etc/machine-id"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n", after["proc/sys/kernel/random/boot_id"])
    assert after["etc/ufw/sysctl.conf"] == "#\n#\nvm/swappiness=3\n"
    assert "../sysctl.conf" in redact(planted(), KEY).links.values()


def test_a_process_has_one_name_in_the_log_and_in_the_list():
    after = redact(planted(), KEY)
    assert f"({after.processes[0].name})" in after.kernel_log
    assert after.processes[0].name.startswith("process-")
    assert after.processes[0].flags == ("java",)


def test_a_control_group_has_one_name_in_its_path_and_in_the_log():
    after = redact(planted(), KEY)
    (current,) = (path for path in after.samples[0].files if path.endswith("memory.current"))
    group = current.removeprefix("sys/fs/cgroup").removesuffix("/memory.current")
    assert f"task_memcg={group}," in after.kernel_log


def test_pseudonyms_are_stable_under_a_key_and_different_under_another():
    assert redact(planted(), KEY) == redact(planted(), KEY)
    other = redact(planted(), b"another key of 16")
    assert other.host != redact(planted(), KEY).host
    assert re.fullmatch(r"host-[a-z2-7]{8}", other.host)


def test_a_pseudonym_rests_on_the_key_and_not_on_the_kind():
    names = Pseudonyms(KEY)
    anonymous = names.of("db1")
    assert names.learn("host", "db1").split("-")[1] == anonymous.split("-")[1]
    assert names.of("db1").startswith("host-")


def test_the_order_of_files_of_settings_stays():
    names = [
        "10-zz.conf",
        "60-acme.conf",
        "60-b.conf",
        "99-sysctl.conf",
        "99-zz-memadvisor.conf",
        "zz-last.conf",
        "99-m.conf",
    ]
    files = {f"etc/sysctl.d/{name}": f"vm.swappiness = {rank}\n" for rank, name in enumerate(sorted(names))}
    after = redact(Capture((Sample(files),)), KEY).samples[0].files
    assert [after[path] for path in sorted(after)] == [files[path] for path in sorted(files)]
    assert not any("acme" in path for path in after)


def test_a_host_that_is_called_as_the_kernel_calls_a_node_is_hidden_too():
    log = "Jan 29 01:42:13 node1 kernel: [1.0] Node 1 DMA free:4kB min:4kB low:5kB high:6kB\n"
    after = redact(Capture((Sample({}),), host="node1", kernel_log=log), KEY)
    assert "node1" not in after.kernel_log
    assert "Node 1 DMA free:4kB" in after.kernel_log


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("from 10.1.2.3 port", "from A "),
        ("mac 52:54:00:12:34:56!", "A!"),
        ("at 23:15:18 fe80::1%eth0", "23:15:18 A%"),
        ("order:0, mode:0x20(GFP_ATOMIC)", "order:0, mode:0x20(GFP_ATOMIC)"),
        ("4.9.0-8-2-amd64 #1", "4.9.0-8-2-amd64 #1"),
        ("10.1.2.3:8080", "A:8080"),
        ("[fe80:0:0:0:1:2:3:4]:22", "[A]:22"),
    ],
)
def test_addresses_are_told_from_other_numbers(text, left):
    shown = redact_words(text, word=lambda word: word, path=lambda path: path, address=lambda _address: "A")
    assert left in shown


# Reports of many hosts.


def planted_fleet():
    """The planted host beside a healthy one, in a report that names it wherever a fleet's report may."""
    plain = from_documents([named(analyse(planted(), rules()), FQDN), named(healthy(), "calm1.corp.acme.example")])
    host = plain.hosts[0]
    note = f"{FQDN}: two captures of one time, at {IPV4}"
    change = Since(((FQDN, host.findings[0]),), (), (FQDN,), ("calm1.corp.acme.example",))
    waived = tuple(replace(finding, waived=f"{USER} until 2027-01-31: {HOST} is old") for finding in host.findings[:1])
    hosts = (replace(host, findings=waived + host.findings[1:]), *plain.hosts[1:])
    return replace(plain, hosts=hosts, title=HOST, unreadable=((f"/srv/{USER}/{HOST}.tar", f"{FQDN} is no archive"),),
                   notes=(note,), since=change)  # fmt: skip


@pytest.mark.parametrize("form", formats.FLEET)
def test_no_planted_secret_is_left_in_the_report_of_a_fleet(form):
    assert leaks(formats.fleet(form, planted_fleet()))
    assert leaks(formats.fleet(form, redact_fleet(planted_fleet(), KEY))) == []


def test_a_redacted_fleet_keeps_counts_order_and_numbers():
    whole, hidden = planted_fleet(), redact_fleet(planted_fleet(), KEY)
    assert [host.status() for host in hidden.hosts] == [host.status() for host in whole.hosts]
    assert [(c.rule, c.severity, len(c.hosts)) for c in hidden.rules()] == [
        (c.rule, c.severity, len(c.hosts)) for c in whole.rules()
    ]
    assert len({host.name for host in hidden.hosts}) == len(whole.hosts)
    proofs = [proof for host in hidden.hosts for finding in host.findings for proof in finding.evidence]
    assert proofs
    assert all(
        proof.source.startswith(("t", "log", "proc", "capture", "name-")) or not proof.source for proof in proofs
    )
    assert hidden.hosts[0].name == redact(planted(), KEY).host


WORDS = st.text(string.ascii_letters + string.digits + "-_.", min_size=5, max_size=15).filter(
    lambda word: not known(word) and word not in TUNABLES and not word.isdigit()
)
PLACES = ("[ 1.0] {}: page allocation failure: order:0, mode:0x20", "Killed process 7 ({})", "{} kernel: [1.0] Mem-Info:",
          "oom-kill:task={},pid=1,uid=0", "for {} at {}", "/{}/{}", "<{}>", "{}@{}", "{}:{}={}", "a,{};{}|{}")  # fmt: skip


@given(word=WORDS, place=st.sampled_from(PLACES))
def test_no_word_that_is_not_the_kernels_gets_through(word, place):
    text = place.replace("{}", word)
    capture = redact(Capture((Sample({}),), kernel_log=text, tools={"top": text}), KEY)
    assert word not in capture.kernel_log
    assert word not in capture.tools["top"]


@pytest.mark.parametrize("name", ["ACME", "PROD", "CORP", "DBSRV", "WEB", "MERCH", "RICH"])
def test_short_names_in_capitals_are_names(name):
    assert not known(name)


# The command.


@pytest.fixture
def folder(tmp_path):
    """The planted capture as a folder, with what a folder can hold."""
    from advisor.capture.write import write_capture

    capture = planted()
    write_capture(capture, str(tmp_path / "planted"))
    return tmp_path / "planted"


def test_the_command_captures_without_names(folder, tmp_path, capsys):
    out = tmp_path / "out.tar"
    assert main(["capture", str(folder), "--redact", "-o", str(tmp_path / "out.tar.gz")]) == 0
    assert leaks(capsys.readouterr().err) == []
    with tarfile.open(tmp_path / "out.tar.gz") as archive:
        for member in archive:
            text = archive.extractfile(member).read().decode() if member.isfile() else ""
            assert leaks(member.name + text) == [], member.name
    assert not out.exists()


def test_the_command_checks_without_names_and_the_key_keeps_them_stable(folder, tmp_path, capsys):
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef0123456789abcdef")
    names = set()
    for _ in range(2):
        main(["check", str(folder), "--format", "json", "--redact-key", str(key)])
        out = capsys.readouterr().out
        assert leaks(out) == []
        names.add(json.loads(out)["host"]["name"])
    main(["check", str(folder), "--format", "json", "--redact"])
    assert len(names) == 1
    assert json.loads(capsys.readouterr().out)["host"]["name"] not in names


def test_the_command_reports_a_store_without_names(folder, tmp_path, capsys):
    pytest.importorskip("duckdb", reason="needs the extra memadvisor[fleet]")
    store, out = str(tmp_path / "store"), tmp_path / "out.html"
    assert main(["fleet", "ingest", str(folder), "-o", store]) == 0
    assert main(["fleet", "report", store, "--report", f"html={out}"]) == 0
    assert leaks(out.read_text())
    assert main(["fleet", "report", store, "--redact", "--report", f"html={out}"]) == 0
    assert leaks(out.read_text()) == []
    capsys.readouterr()
    assert main(["fleet", "report", store, "--redact"]) == 0
    assert leaks(capsys.readouterr().out) == []
    assert main(["fleet", "report", store, "--redact", "--format", "json"]) == 1
    assert "names and all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), (b"short", "holds 5 bytes"), (b"", "holds 0 bytes")]
)
def test_a_key_that_protects_nothing_is_refused(content, said, tmp_path, capsys):
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
    assert main(["check", str(CAPTURES / "6.12-idle.tar.xz"), "--redact-key", str(key)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err.lower()
    assert io.StringIO(err).read().count("\n") == 1
