"""How captures lie in a folder or an archive, and what they become.

At the top of the source, or below folders that stand alone there::

    capture.json  t0/ t1/ …  log/kernel.txt  NAME.txt     as `write_capture` writes it; each may be missing
    t0/ t1/ …  dmesg.txt  free.txt …                      a published incident
    proc/ sys/ etc/ …                                     a bare tree: one sample
    sos_commands/ proc/ sys/ …                            a sosreport: one sample
"""

from __future__ import annotations

import re

from advisor.capture import manifest as manifests
from advisor.capture import sosreport
from advisor.capture.files import FILES, linkable
from advisor.capture.manifest import Manifest
from advisor.capture.model import Capture, Sample
from advisor.capture.tree import MAX_LOG, MIB, Store, Tree, decode, encode, join, log_end, printable
from advisor.errors import CaptureError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCEPTED = "give a capture, a tree with proc/ in it, a sosreport, a .tar.gz of one, or - for a tar on standard input"
SAMPLE = re.compile(r"t(0|[1-9]\d{0,8})")  # the folder of a sample
DEPTH = 3  # a capture is looked for at the top and below up to two folders that stand alone
LOG = "log/kernel.txt"
_DMESG = "dmesg.txt"
# Outputs that make a folder a capture even without samples; any other NAME.txt is kept, but proves nothing.
_TOOLS = ("dmesg", "free", "numa_maps_summary", "numastat", "sar", "slabtop", "swapon", "top", "vmstat")
_HOSTNAME = "proc/sys/kernel/hostname"


def assemble(store: Store, source: str, how: str, interval_s: float | None = None) -> Capture:
    """The capture that lies in a store.

    Args:
        store: where the bytes are.
        source: what the user named.
        how: `folder` or `archive`; a capture's own word, and `sosreport`, come first.
        interval_s: what the user says of the time between the first and the last sample.

    Raises:
        CaptureError: nothing in the store is a capture.
    """
    tree = Tree(store, _base(store))
    manifest = _manifest(tree)
    is_sos = sosreport.MARK in tree.entries("")
    trees, samples, notes = _samples(tree, manifest)
    if is_sos:
        samples = [Sample(sosreport.settings(tree) | dict(samples[0].files))]
    log = _kernel_log(tree, notes, is_sos=is_sos)
    tools = _tools(tree) | (sosreport.tools(tree) if is_sos else {})
    if log is None and not tools and not manifest.times and not any(sample.files for sample in samples):
        raise CaptureError("holds no file that memadvisor reads", ACCEPTED)
    everywhere = [*trees, tree]
    return Capture(
        samples=tuple(samples),
        host=manifest.host or _host(samples) or (sosreport.host(tree) if is_sos else ""),
        how=manifest.how or ("sosreport" if is_sos else how),
        source=source,
        interval_s=_interval(samples, manifest.interval_s, interval_s, notes),
        kernel_log=log,
        tools=tools,
        processes=manifest.processes,
        cost=manifest.cost,
        unread=dict(manifest.unread) | {path: why for each in everywhere for path, why in each.unread.items()},
        links=dict(manifest.links) | {path: to for each in everywhere for path, to in each.links(linkable()).items()},
        notes=_unique([*manifest.notes, *store.notes, *(note for each in everywhere for note in each.notes), *notes]),
        zero_baseline=manifest.zero_baseline,
    )


def _base(store: Store) -> str:
    base = ""
    for _ in range(DEPTH):
        tree = Tree(store, base)
        if _is_capture(tree):
            return base
        folders = [name for name, is_folder in tree.entries("").items() if is_folder]
        if len(folders) != 1:
            break
        base = join(base, folders[0])
    raise _no_capture(tree)


def _is_capture(tree: Tree) -> bool:
    names = tree.entries("")
    if any(names[name] and (name in {"proc", "sys", sosreport.MARK} or SAMPLE.fullmatch(name)) for name in names):
        return True
    texts = {manifests.NAME, *(f"{tool}.txt" for tool in _TOOLS)}
    return any(not names[name] for name in texts.intersection(names)) or (
        "log" in names and "kernel.txt" in tree.entries("log")
    )


def _no_capture(tree: Tree) -> CaptureError:
    names = sorted(tree.entries(""))
    if not names:
        why = next(iter(tree.unread.values()), None)
        return CaptureError(f"cannot be listed: {why}" if why else "is empty", ACCEPTED)
    inside = [name for name in names if tree.entries("")[name] and _is_capture(Tree(tree.store, join(tree.root, name)))]
    if inside:
        return CaptureError(f"holds {len(inside)} captures", f"give one of them, for example {printable(inside[0])}")
    shown = ", ".join(printable(name) for name in names[:5]) + (" …" if len(names) > 5 else "")
    return CaptureError(f"is no capture: found {shown}", ACCEPTED)


def _manifest(tree: Tree) -> Manifest:
    text = tree.read(manifests.NAME) if manifests.NAME in tree.entries("") else None
    return Manifest() if text is None else manifests.loads(text.removeprefix("\ufeff"))


# The samples, the trees they were read from, and remarks. In folders of samples every file is kept, known
# to us or not; of a whole host only what we know.
def _samples(tree: Tree, manifest: Manifest) -> tuple[list[Tree], list[Sample], list[str]]:
    names = tree.entries("")
    numbers = sorted(int(name[1:]) for name in names if names[name] and SAMPLE.fullmatch(name))
    if not numbers:
        return [], [Sample(tree.read_all(_known(tree)))], []
    trees = [Tree(tree.store, join(tree.root, f"t{number}")) for number in numbers]
    samples = []
    for number, each in zip(numbers, trees, strict=True):
        clocks = manifest.times[number] if number < len(manifest.times) else (None, None)
        samples.append(Sample(each.read_all(dict.fromkeys([*each.walk(), *_known(each)])), *clocks))
    notes = []
    if manifest.times and len(manifest.times) != len(numbers):
        notes.append(f"capture.json tells of {len(manifest.times)} samples, and {len(numbers)} are there")
    return trees, samples, notes


def _known(tree: Tree) -> Iterable[str]:
    return [path for file in FILES for path in tree.expand(file.pattern)]


def _kernel_log(tree: Tree, notes: list[str], *, is_sos: bool) -> str | None:
    text = tree.read(LOG)
    if text is None:
        text = tree.read(_DMESG)
    if text is None and is_sos:
        text = sosreport.kernel_log(tree)
    if text is None:
        return None
    end, was_cut = log_end(encode(text))
    if was_cut:
        notes.append(f"of the kernel log only the last {MAX_LOG // MIB} MiB was read")
    return decode(end)


def _tools(tree: Tree) -> dict[str, str]:
    names = sorted(name for name, is_folder in tree.entries("").items() if not is_folder and name.endswith(".txt"))
    texts = tree.read_all(name for name in names if name not in {_DMESG, ".txt"})
    return {name.removesuffix(".txt"): text for name, text in texts.items()}


def _host(samples: list[Sample]) -> str:
    return next((sample.files[_HOSTNAME].strip() for sample in samples if _HOSTNAME in sample.files), "")


# Clocks of the samples know best, then the user, then the file.
def _interval(samples: list[Sample], stated: float | None, given: float | None, notes: list[str]) -> float | None:
    if samples[0].monotonic_s is not None and samples[-1].monotonic_s is not None:
        if given is not None:
            notes.append("the interval given is not used: the samples carry the time of their reading")
        return None
    if given is not None and stated is not None and given != stated:
        notes.append(f"interval {given:g} s as given, not {stated:g} s as capture.json says")
    return stated if given is None else given


def _unique(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))
