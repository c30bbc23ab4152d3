"""A capture without names: what it can be judged by stays, who it is of goes.

Host names, addresses, processes, users, control groups, mount points and files of settings become pseudonyms; comments
and settings that are not about memory go; files that nobody reads here are left out. The verdict on what is left is
that on the whole, but for the names in it. Numbers stay as they are: sizes, process ids, times.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from advisor.capture import redact_words
from advisor.capture.files import FILES, fits
from advisor.capture.pseudonyms import Pseudonyms
from advisor.errors import UsageError
from advisor.hints import TYPE_CHECKING
from advisor.parse.kernlog.trigger import TRIGGER
from advisor.record import replace
from advisor.tunables import TUNABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from advisor.capture.model import Capture, Process, Sample

NOTE = "names are pseudonyms: this capture was redacted"

_LEAST_KEY = 16
_MAKE = "make one with: head -c 32 /dev/urandom > FILE"
_TOOLS = frozenset({"free", "swapon", "top", "vmstat"})  # others have no reader
_HOSTNAME = "proc/sys/kernel/hostname"
_CGROUPS = "sys/fs/cgroup/"
# Parts of paths that every host has.
_COMMON = frozenset({
    "", ".", "memory", "unified", "system.slice", "user.slice", "machine.slice", "init.scope", "kubepods",
    "kubepods.slice", "burstable", "besteffort", "kubepods-burstable.slice", "kubepods-besteffort.slice", "docker",
    "dev", "shm", "mapper", "proc", "sys", "run", "tmp", "var", "boot", "efi", "home", "usr", "lib", "etc",
    "kernel", "debug", "fs", "cgroup", "swapfile", "swap.img", "pagefile", "null", "none",
})  # fmt: skip
_KERNEL_PATH = re.compile(r"/(?:proc/sys/(?:vm|kernel|fs)|sys/kernel/mm|sys/module/zswap)(?:/[a-z0-9_.*-]+)*")
_DEVICE = re.compile(r"(?:sd|vd|xvd|hd|nvme|zram|dm-|md|mmcblk|loop|ram|sr|nbd|pmem|dasd|fd)[0-9a-z-]{0,12}")
_FOLDERS = re.compile(r"(?:etc|run|usr/local/lib|usr/lib|lib)/(?:sysctl|tmpfiles)\.d/(?P<name>[^/]+)")
_OURS = re.compile(r"\d*-?(?:zz-)?memadvisor\.conf|99-sysctl\.conf")
_TUNED = re.compile(r"((?:etc|usr/lib)/tuned/(?:profiles/)?)([^/]+)(/tuned\.conf)")
_TARGETS = frozenset({"/dev/null", "/etc/sysctl.conf", "../sysctl.conf"})
# Scripts and files of others that may hold anything, numbers that are passwords too: left out. No rule reads them.
_PRIVATE = re.compile(r"etc/rc\.local|etc/rc\.d/rc\.local|etc/systemd/system/.*|var/lib/kubelet/.*|.*/saptune/.*")
_STOCK_PROFILES = frozenset({
    "accelerator-performance", "aws", "balanced", "balanced-battery", "cpu-partitioning", "desktop", "hpc-compute",
    "intel-sst", "latency-performance", "mssql", "network-latency", "network-throughput", "openshift",
    "openshift-control-plane", "openshift-node", "optimize-serial-console", "oracle", "postgresql", "powersave",
    "realtime", "realtime-virtual-guest", "realtime-virtual-host", "sap-hana", "sap-netweaver", "spindown-disk",
    "throughput-performance", "virtual-guest", "virtual-host", "recommend.d", "profiles",
})  # fmt: skip
# Boot parameters that bear on memory (Documentation/admin-guide/kernel-parameters.txt); all others are dropped.
_BOOT = re.compile(
    r"(?:psi|quiet|ro|rw|nosmp|mem|memmap|movablecore|kernelcore|movable_node|hugepages|hugepagesz|default_hugepagesz"
    r"|hugetlb_cma|hugetlb_free_vmemmap|cma|transparent_hugepage|transparent_hugepage_\w+|thp_\w+|zswap\.\w+|zram\.\w+"
    r"|swapaccount|cgroup_(?:disable|enable)|cgroup\.memory|systemd\.unified_cgroup_hierarchy|numa|numa_balancing|nohz"
    r"|numa_zonelist_order|page_poison|page_owner|slub_debug|slab_nomerge|init_on_alloc|init_on_free|crashkernel|preempt"
    r"|vmalloc|highmem|panic_on_oops|lru_gen\w*|ksm\w*|mitigations|percpu_alloc|nr_cpus|maxcpus|default_mce)"
)
_WRITE = re.compile(
    r"w\S{0,4}\s+/(?:sys/(?:kernel/mm|module/zswap/parameters)|proc/sys/vm)/[\w/*.-]+(?:\s+-){4}\s+[\w+]+\s*"
)
_PLAIN = re.compile(r"[0-9A-Za-z_.,:@%+-]*")
_OS_KEYS = ("ID=", "ID_LIKE=", "NAME=", "PRETTY_NAME=", "VERSION=", "VERSION_ID=", "VERSION_CODENAME=")


def read_key(path: str | None) -> bytes:
    """The key in a file; without a file a new one that nobody keeps.

    Raises:
        UsageError: it cannot be read, or is so short that all of its values can be tried.
    """
    if path is None:
        return os.urandom(32)
    try:
        with Path(path).open("rb") as file:
            key = file.read(4096)
    except OSError as error:
        raise UsageError(f"--redact-key {path}: {(error.strerror or str(error)).lower()}", _MAKE) from None
    if len(key) < _LEAST_KEY:
        raise UsageError(f"--redact-key {path} holds {len(key)} bytes, and {_LEAST_KEY} are the least", _MAKE)
    return key


def redact(capture: Capture, key: bytes) -> Capture:
    """The capture with pseudonyms for names.

    Args:
        capture: what to hand on.
        key: the secret that the pseudonyms rest on; the same key gives the same pseudonyms.
    """
    return _Redactor(capture, key).capture()


class _Redactor:
    """Redacts one capture."""

    def __init__(self, capture: Capture, key: bytes) -> None:
        self.whole = capture
        self.names = Pseudonyms(key)
        self.dropped: set[str] = set()
        self.hosts: set[str] = set()
        for kind, name in self._known():
            self.names.learn(kind, name)
            if kind == "host":
                self.hosts.add(name)
        self.files = self._file_names()

    def _known(self) -> Iterable[tuple[str, str]]:
        """Names whose kind the capture tells; the short form of a host's name too."""
        hosts = (self.whole.host, self.whole.text(_HOSTNAME) or "")
        for host in (part.strip() for part in hosts):
            if host:
                yield "host", host
                yield "host", host.partition(".")[0]
        for process in self.whole.processes:
            yield "process", process.name
        for path in self.whole.paths():
            if path.startswith(_CGROUPS):
                yield from (("group", part) for part in path.removeprefix(_CGROUPS).split("/")[:-1])

    def capture(self) -> Capture:
        """The whole."""
        whole = self.whole
        samples = tuple(self._sample(sample) for sample in whole.samples)
        left_out = f"{len(self.dropped)} files that nobody reads were left out" if self.dropped else ""
        notes = (*map(self._note, whole.notes), NOTE, *([left_out] if left_out else []))
        return replace(
            whole,
            samples=samples,
            host=self.names.of(whole.host) if whole.host else "",
            source="a redacted capture",
            kernel_log=None if whole.kernel_log is None else self._log(whole.kernel_log),
            tools={name: self._words(text) for name, text in whole.tools.items() if name in _TOOLS},
            processes=tuple(map(self._process, whole.processes)),
            unread={self._any_path(path): why for path, why in whole.unread.items()},
            links={self._path(path): self._target(target) for path, target in whole.links.items() if _listed(path)},
            notes=tuple(dict.fromkeys(notes)),
        )

    def _process(self, process: Process) -> Process:
        return replace(process, name=self.names.of(process.name))

    def _sample(self, sample: Sample) -> Sample:
        listed = {path: text for path, text in sample.files.items() if _listed(path)}
        self.dropped |= sample.files.keys() - listed.keys()
        return replace(sample, files={self._path(path): self._text(path, text) for path, text in listed.items()})

    # Paths

    def _path(self, path: str) -> str:
        """Where a file of the capture stands afterwards."""
        if path.startswith(_CGROUPS):
            *groups, name = path.removeprefix(_CGROUPS).split("/")
            return _CGROUPS + "/".join([*map(self._part, groups), name])
        if found := _FOLDERS.fullmatch(path):
            name = found["name"]  # of a pattern that found nothing, or of a file that could not be read, maybe
            return path[: found.start("name")] + (
                self.files.get(name) or (name if "*" in name else self._file_name(name))
            )
        if tuned := _TUNED.fullmatch(path):
            return tuned[1] + self._profile(tuned[2]) + tuned[3]
        if path.startswith("sys/block/"):
            return "/".join(part if index != 2 else self._part(part) for index, part in enumerate(path.split("/")))
        return path

    def _any_path(self, path: str) -> str:
        """A path of `unread`, which may be that of a folder or a pattern."""
        return self._path(path) if _listed(path) else self._slashed(path)

    def _slashed(self, path: str) -> str:
        """A path in a text: each part by itself, so that what lies within another still does; the kernel's stay."""
        if _KERNEL_PATH.fullmatch(path):
            return path
        return "/".join(map(self._part, path.split("/")))

    def _part(self, part: str) -> str:
        if part in _COMMON or _DEVICE.fullmatch(part) or part == "*":
            return part
        return self.names.of(part)

    def _target(self, target: str) -> str:
        return target if target in _TARGETS else self._slashed(target)

    def _profile(self, name: str) -> str:
        return name if name in _STOCK_PROFILES else self.names.learn("profile", name)

    def _file_names(self) -> dict[str, str]:
        """New names for files of settings, in the order of the old ones: of two lines the order decides."""
        found = (_FOLDERS.fullmatch(path) for path in (*self.whole.paths(), *self.whole.links))
        old = sorted({match["name"] for match in found if match})
        new = [name if _OURS.fullmatch(name) else self._file_name(name) for name in old]
        if new != sorted(new) or len(set(new)) != len(new):
            new = [f"{rank:03}-{self.names.learn('file', name)}.conf" for rank, name in enumerate(old)]
        return dict(zip(old, new, strict=True))

    def _file_name(self, name: str) -> str:
        number = re.match(r"\d*-?", name)
        return f"{number[0] if number else ''}{self.names.learn('file', name)}.conf"

    # Texts

    def _text(self, path: str, text: str) -> str:
        """The text of a file; what the kernel prints in numbers stays as it is."""
        if path == _HOSTNAME:
            return "".join(self.names.of(name) + "\n" for name in text.split())
        if found := _FOLDERS.fullmatch(path):
            return self._tmpfiles(text) if path.endswith(f"tmpfiles.d/{found['name']}") else self._sysctl(text)
        if path == "etc/sysctl.conf":
            return self._sysctl(text)
        if _TUNED.fullmatch(path):
            return self._tuned(text)
        special = _SPECIAL.get(path) or (_backing if path.endswith("/backing_dev") else None)
        if special:
            return special(self, text)
        return text if path.startswith(("proc/", "sys/")) else self._lines(text, self._words)

    def _number(self, text: str) -> str:
        return f"{self.names.digits(text.strip())}\n"

    def _words(self, text: str) -> str:
        return redact_words.redact(text, word=self._word, path=self._slashed, address=self._address)

    def _word(self, word: str) -> str:
        return word if self._is_known(word) else self.names.of(word)

    def _is_known(self, word: str) -> bool:
        return word in TUNABLES or redact_words.known(word, self.hosts)

    def _address(self, address: str) -> str:
        return self.names.learn("address", address)

    def _log(self, text: str) -> str:
        """Kernel messages line by line; of lines that are not about memory only what every kernel says is left."""
        return "\n".join(
            self._words(line) if TRIGGER.search(line) else self._blanked(line) for line in text.split("\n")
        )

    def _blanked(self, line: str) -> str:
        return redact_words.redact(line, word=self._or_blank, path=self._slashed, address=self._address)

    def _or_blank(self, word: str) -> str:
        return word if redact_words.known(word, self.hosts) else "_"

    def _note(self, note: str) -> str:
        """A remark of ours: sentences, in which only known names, addresses and paths can stand."""
        return redact_words.redact(note, word=self._if_known, path=self._slashed, address=self._address)

    def _if_known(self, word: str) -> str:
        return self.names.of(word) if self.names.knows(word) else word

    def _lines(self, text: str, one: Callable[[str], str]) -> str:
        """A file of settings: each line by itself, so that line numbers stay; comments and blanks are emptied."""
        return "\n".join("#" if _is_comment(line) else one(line) if line.strip() else "" for line in text.split("\n"))

    def _sysctl(self, text: str) -> str:
        return self._lines(text, self._sysctl_line)

    def _sysctl_line(self, line: str) -> str:
        key, equals, value = line.partition("=")
        name = key.strip().lstrip("-").strip().replace("/", ".")
        if not name.startswith(("vm.", "kernel.numa", "fs.file-max")):
            return "#"
        return f"{key}{equals}{self._words(value)}"

    def _tmpfiles(self, text: str) -> str:
        return self._lines(text, lambda line: line if _is_write(line) else "#")

    def _tuned(self, text: str) -> str:
        return self._lines(text, self._tuned_line)

    def _tuned_line(self, line: str) -> str:
        key, equals, value = line.partition("=")
        name = key.strip().replace("/", ".")
        if line.strip() in {"[main]", "[sysctl]", "[vm]"}:
            return line
        if line.lstrip().startswith("["):
            return "[other]"
        if name == "include":
            return key + equals + re.sub(r"[\w.+-]+", lambda match: self._profile(match[0]), value)
        known = name.startswith(("vm.", "dirty_", "kernel.numa")) or name in {"transparent_hugepages", "reapply_sysctl"}
        return f"{key}{equals}{self._words(value)}" if equals and known else "#"

    def _active_profile(self, text: str) -> str:
        return re.sub(r"\S+", lambda match: self._profile(match[0]), text)

    def _tuned_main(self, text: str) -> str:
        return self._lines(text, lambda line: line if line.strip().startswith("reapply_sysctl") else "#")

    def _cmdline(self, text: str) -> str:
        words = re.findall(r'(?:[^\s"]|"[^"]*")+', text)
        kept = [word for word in words if _is_boot(word)]
        return " ".join(kept or ["quiet"]) + ("\n" if text.endswith("\n") else "")

    def _version(self, text: str) -> str:
        """Release and build flags; the builder and the compiler's banner go."""
        found = re.match(r"Linux version \S+", text)
        flags = re.findall(r"#\d+(?:-\S+)?|\bSMP\b|\bPREEMPT\w*\b", text)
        return f"{found[0] if found else 'Linux version unknown'} {' '.join(flags)}\n"

    def _mounts(self, text: str) -> str:
        rows = (line.split() for line in text.splitlines())
        return "".join(self._mount(row) for row in rows if len(row) >= 4)

    def _mount(self, row: list[str]) -> str:
        options = [option for option in row[3].split(",") if re.fullmatch(r"ro|rw|size=\d+[kmg%]?", option)]
        source = row[0] if row[0] == row[2] else self._slashed(row[0])
        return f"{source} {self._slashed(row[1])} {row[2]} {','.join(options) or 'rw'} 0 0\n"

    def _swaps(self, text: str) -> str:
        head, newline, rest = text.partition("\n")
        return head + newline + re.sub(r"(?m)^\S+", lambda match: self._slashed(match[0]), rest)

    def _slabs(self, text: str) -> str:
        return re.sub(r"\((\d+):([^)]*)\)", lambda match: f"({match[1]}:{self._slashed(match[2])})", text)

    def _os_release(self, text: str) -> str:
        return "".join(f"{line}\n" for line in text.splitlines() if line.startswith(_OS_KEYS))


_SPECIAL: Mapping[str, Callable[[_Redactor, str], str]] = {
    "etc/machine-id": _Redactor._number,
    "proc/sys/kernel/random/boot_id": _Redactor._number,
    "etc/ufw/sysctl.conf": _Redactor._sysctl,
    "etc/sysctl.ktune": _Redactor._sysctl,
    "proc/version": _Redactor._version,
    "proc/cmdline": _Redactor._cmdline,
    "proc/mounts": _Redactor._mounts,
    "proc/swaps": _Redactor._swaps,
    "proc/slabinfo": _Redactor._slabs,
    "etc/os-release": _Redactor._os_release,
    "usr/lib/os-release": _Redactor._os_release,
    "etc/tuned/active_profile": _Redactor._active_profile,
    "etc/tuned/tuned-main.conf": _Redactor._tuned_main,
    "etc/sysconfig/saptune": _Redactor._words,
    "etc/sysconfig/sapconf": _Redactor._words,
}


def _backing(redactor: _Redactor, text: str) -> str:
    return redactor._slashed(text.rstrip("\n")) + "\n"


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in {"#", ";"}


def _is_write(line: str) -> bool:
    """A line of tmpfiles.d that writes a plain value to /sys or /proc."""
    return _WRITE.fullmatch(line) is not None


def _is_boot(word: str) -> bool:
    name, _, value = word.replace('"', "").partition("=")
    return _BOOT.fullmatch(name.replace("-", "_")) is not None and _PLAIN.fullmatch(value) is not None


def _listed(path: str) -> bool:
    """Whether a path is one of those that captures are made of, and of which something can be kept."""
    return not _PRIVATE.fullmatch(path) and any(_fits(path, file.pattern) for file in FILES)


def _fits(path: str, pattern: str) -> bool:
    head, below, tail = pattern.partition("/**/")
    if below:
        return path.startswith(f"{head}/") and path.rpartition("/")[2] == tail
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fits, parts, wanted))
