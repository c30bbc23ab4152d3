"""Many sources into a store: in parallel, in parts that count one by one, so that a run can be resumed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import time
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.capture.open import open_capture
from advisor.capture.write import write_capture
from advisor.errors import AdvisorError
from advisor.fleet.flatten import Origin, flatten
from advisor.fleet.parts import ROW_BITS, Batch
from advisor.fleet.store import Index, Known, Store, known_of
from advisor.record import Record, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from advisor.fleet.sources import Source

    Progress = Callable[[int, int, int], None]

# Captures of a part: enough for columns to be worth it, few enough that their rows stay small in memory and little
# is lost with a run that is interrupted.
_MOST, _LEAST = 500, 50
assert _MOST < 1 << ROW_BITS


class Options(Record):
    """How to ingest.

    Attributes:
        role: what the hosts are for, or None.
        labels: labels of the hosts.
        interval_s: time between the samples of captures that do not say.
        keep_raw: whether to keep the captures beside the tables.
        jobs: processes to use.
    """

    role: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    interval_s: float | None = None
    keep_raw: bool = False
    jobs: int = 1


class Result(Record):
    """What became of the sources.

    Attributes:
        added: captures that are in the store now and were not before.
        skipped: sources that it had already.
        broken: sources that could not be read, and why.
        remarks: on captures that were added.
    """

    added: int
    skipped: int
    broken: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


class _Made(Record):
    """A part that a process has written."""

    part: int
    captures: tuple[Known, ...]
    written: dict[str, tuple[int, int]]
    skipped: int
    broken: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


def ingest(store: Store, sources: Sequence[Source], options: Options, progress: Progress | None = None) -> Result:
    """Adds the captures of some sources to a store; what it has already is skipped, what cannot be read is told.

    Args:
        store: the store.
        sources: from `sources.find`.
        options: how.
        progress: called with sources done, sources in all, sources that could not be read.

    Raises:
        AdvisorError: the store cannot be written, or another run adds to it.
    """
    with store.locked():
        index = Index(store.known())
        todo = [source for source in sources if (source.path, source.stamp) not in index.sources]
        run = _Run(store, index, len(sources), progress)
        run.done = run.skipped = len(sources) - len(todo)
        for made in _made(store, todo, options, index):
            run.take(made)
        return run.result()


class _Run:
    """Takes parts as they come from the processes; each counts as soon as it is taken."""

    def __init__(self, store: Store, index: Index, all_: int, progress: Progress | None) -> None:
        self.store, self.index, self.all, self.progress = store, index, all_, progress
        self.done = self.skipped = self.added = 0
        self.broken: list[tuple[str, str]] = []
        self.remarks: list[str] = []

    def take(self, made: _Made) -> None:
        self.broken += made.broken
        self.remarks += made.remarks
        self.skipped += made.skipped
        self.done += len(made.captures) + len(made.broken) + made.skipped
        if made.captures:
            self._commit(made)
        if self.progress:
            self.progress(self.done, self.all, len(self.broken))

    def _commit(self, made: _Made) -> None:
        replaced = []
        for capture in made.captures:
            old, remark = self.index.add(capture)
            replaced += [old] if old is not None else []
            self.remarks += [remark] if remark else []
        self.store.commit(made.part, len(made.captures), made.written)
        manifest = self.store.manifest
        self.store.manifest = replace(
            manifest, replaced=(*manifest.replaced, *replaced), repeats=manifest.repeats or self.index.repeats
        )
        self.store.save()
        self.added += len(made.captures) - len(replaced)

    def result(self) -> Result:
        return Result(self.added, self.skipped, tuple(self.broken), tuple(dict.fromkeys(self.remarks)))


def _made(store: Store, todo: Sequence[Source], options: Options, index: Index) -> Iterator[_Made]:
    size = max(_LEAST, min(_MOST, -(-len(todo) // max(1, options.jobs))))
    chunks = [todo[start : start + size] for start in range(0, len(todo), size)]
    if options.jobs <= 1 or len(chunks) <= 1:
        maker = _Maker(store, options, index.captures)
        for chunk in chunks:
            yield maker.part(store.new_part(), chunk)
    else:
        yield from _in_parallel(store, chunks, options, index)


def _in_parallel(store: Store, chunks: Sequence[Sequence[Source]], options: Options, index: Index) -> Iterator[_Made]:
    left = list(chunks)
    workers = [_Worker() for _ in range(min(options.jobs, len(left)))]
    try:
        for worker in workers:
            worker.begin(_Maker(store, options, index.captures))
        while left or any(worker.chunk for worker in workers):
            for worker in workers:
                if left and not worker.chunk:
                    worker.give(store.new_part(), left.pop(0))
            # A part is taken as soon as it is made: no more of them wait than there are processes.
            ready = set(connection.wait([worker.pipe for worker in workers if worker.chunk]))
            yield from (worker.take() for worker in workers if worker.pipe in ready)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process that makes parts, one at a time.

    It shares nothing with the others but the disk: no queue, no lock. So when one is killed, at whatever moment, its
    pipe closes and nobody waits for it.

    Attributes:
        pipe: closed at the other end when the process is no more.
        chunk: what it is at.
    """

    def __init__(self) -> None:
        # A fresh process: threads of the libraries loaded here must not be cut in half by a fork.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.chunk: Sequence[Source] = ()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, maker: _Maker) -> None:
        self._send(maker)

    def give(self, number: int, chunk: Sequence[Source]) -> None:
        self.chunk = chunk
        self._send((number, chunk))

    def take(self) -> _Made:
        try:
            made: _Made | Exception = self.pipe.recv()
        except (EOFError, OSError):
            raise AdvisorError(
                f"a process was killed while it read {self.chunk[0].path} or one of the {len(self.chunk) - 1} after it",
                "what was ingested counts; free memory or give --jobs 1, and run the same command again",
            ) from None
        if isinstance(made, Exception):
            raise made
        self.chunk = ()
        return made

    def end(self) -> None:
        self._process.terminate()
        self._process.join()
        self.pipe.close()

    def _send(self, what: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # `take` says it, and knows what was read
            self.pipe.send(what)


def _work(pipe: Connection[Any, Any]) -> None:
    """What a process of ours does until it is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who started us hears it, and ends us
    maker: _Maker = pipe.recv()
    while True:
        try:
            pipe.send(maker.part(*pipe.recv()))
        except EOFError:  # the one who started us is no more
            return
        except Exception as error:
            pipe.send(error)


class _Maker:
    """Reads captures and writes them as a part; runs in a process of its own."""

    def __init__(self, store: Store, options: Options, known: Iterable[str]) -> None:
        self.store, self.options, self.known = store, options, set(known)

    def part(self, number: int, sources: Sequence[Source]) -> _Made:
        batch, captures, broken, remarks = Batch(number), [], [], []
        skipped = 0
        for source in sources:
            try:
                known, notes = self._one(batch, source)
            except AdvisorError as error:
                broken.append((source.path, str(error).removeprefix(f"{source.path}: ")))
                continue
            except (OSError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
                broken.append((source.path, f"{type(error).__name__}: {error}"))
                continue
            remarks += [f"{source.path}: {note}" for note in notes]
            if known is None:
                skipped += 1
            else:
                captures.append(known)
        written = batch.write(self.store.scratch(number)) if captures else {}
        return _Made(number, tuple(captures), written, skipped, tuple(broken), tuple(remarks))

    def _one(self, batch: Batch, source: Source) -> tuple[Known | None, Sequence[str]]:
        options = self.options
        capture = open_capture(source.path, interval_s=options.interval_s)
        origin = Origin(source.path, source.stamp, source.changed_s, time.time(), options.role, options.labels)
        flat = flatten(capture, origin)
        if flat.capture in self.known:
            return None, ()
        if options.keep_raw:
            self._keep(source.path, flat.capture)
        self.known.add(flat.capture)
        return known_of(flat, batch.add(flat.rows), source.path, source.stamp), flat.notes

    def _keep(self, path: str, name: str) -> None:
        """Keeps a capture beside the tables: an archive as it is, a folder packed."""
        folder = self.store.folder / "raw" / name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        if Path(path).is_dir():
            write_capture(open_capture(path), str(folder / f"{name}.tar.gz"), force=True)
            return
        suffix = "".join(Path(path).suffixes[-2:])
        new = folder / f".{name}.{os.getpid()}"
        try:
            shutil.copyfile(path, new)
            new.replace(folder / f"{name}{suffix}")
        finally:
            with contextlib.suppress(FileNotFoundError):
                new.unlink()
