"""A stream of bytes out of a compressed file or a pipe: forward only, with every limit enforced.

The source is hostile until proven otherwise. Output is produced in pieces of at most 64 KiB, so a bomb costs
time up to a limit and never memory.
"""

from __future__ import annotations

import sys

from advisor.capture.tree import MAX_ENTRIES, MAX_FILE, MIB
from advisor.errors import CaptureError
from advisor.hints import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_UNPACKED = 8192 * MIB  # what a source may unpack to; large sosreports have some GiB
MAX_RATIO = 200  # unpacked to packed, beyond the first FREE_UNPACKED bytes; text of /proc reaches 30
FREE_UNPACKED = 64 * MIB
_MAX_DICTIONARY = 256 * MIB  # memory of an xz decoder; `xz -9` asks for 65 MiB
_CHUNK = 64 * 1024


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


# Makes zlib's decoder look like those of bz2 and lzma.
class _Gzip:
    def __init__(self) -> None:
        import zlib  # noqa: PLC0415

        self._zlib = zlib.decompressobj(wbits=31)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(out) < max_length
        return out


def _bzip2() -> _Decoder:
    import bz2  # noqa: PLC0415

    return bz2.BZ2Decompressor()


def _xz() -> _Decoder:
    import lzma  # noqa: PLC0415

    return lzma.LZMADecompressor(memlimit=_MAX_DICTIONARY)


def _zstd() -> _Decoder:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415

        return zstd.ZstdDecompressor()
    raise CaptureError("is zstd, which takes Python 3.14 or newer", "unpack it first: zstd -d FILE.tar.zst")


_MAGIC: tuple[tuple[bytes, Callable[[], _Decoder]], ...] = (
    (b"\x1f\x8b", _Gzip),
    (b"BZh", _bzip2),
    (b"\xfd7zXZ\x00", _xz),
    (b"\x28\xb5\x2f\xfd", _zstd),
)


class Stream:
    """What a compressed or plain source unpacks to, as the forward-only file that `tarfile` needs.

    Args:
        raw: the source; read once, never sought.

    Raises:
        CaptureError: at a limit; EOFError and the decoders' own errors when the source is damaged.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self.last = b""  # what the last read() gave
        self._raw = raw
        self._buffer = b""
        self._position = 0
        self._packed = 0
        self._unpacked = 0
        self._streams = 0
        self._make: Callable[[], _Decoder] | None = None
        self._decoder: _Decoder | None = None
        self._begin()

    def peek(self) -> bytes:
        """The first bytes of the unpacked source, without consuming them; empty for an empty source."""
        while len(self._buffer) < 512 and (chunk := self._chunk()):
            self._buffer += chunk
        return self._buffer[:512]

    def tell(self) -> int:
        """Bytes consumed."""
        return self._position

    def seek(self, position: int) -> int:
        """Skip forward.

        Raises:
            CaptureError: backwards, which only the headers of a damaged archive ask for.
        """
        if position < self._position:
            raise CaptureError("is a damaged archive: its sizes contradict each other")
        while self._position < position and self.read(min(_CHUNK, position - self._position)):
            pass
        return self._position

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        if not 0 <= size <= MAX_FILE + _CHUNK:
            raise CaptureError("is a damaged archive: a header of absurd size")
        parts = []
        missing = size
        while missing and (chunk := self._buffer or self._chunk()):
            parts.append(chunk[:missing])
            self._buffer = chunk[missing:]
            missing -= len(parts[-1])
        self._position += size - missing
        self.last = b"".join(parts)
        return self.last

    def drain(self) -> None:
        """Read to the end, where gzip and xz keep the sum that proves the data."""
        while self.read(_CHUNK):
            pass

    def _begin(self) -> None:
        head = b""
        while len(head) < 6 and (chunk := self._take()):
            head += chunk
        self._make = next((make for magic, make in _MAGIC if head.startswith(magic)), None)
        if self._make is None:
            self._buffer = head
            self._unpacked = len(head)
        else:
            self._decoder = self._make()
            self._buffer = self._count(self._decoder.decompress(head, _CHUNK))

    def _take(self) -> bytes:
        packed = self._raw.read(_CHUNK)
        self._packed += len(packed)
        return packed

    def _count(self, out: bytes) -> bytes:
        self._unpacked += len(out)
        if self._unpacked > MAX_UNPACKED:
            raise CaptureError(f"unpacks to more than {MAX_UNPACKED // MIB} MiB", "pack only the capture itself")
        if self._unpacked > FREE_UNPACKED and self._unpacked > MAX_RATIO * self._packed:
            raise CaptureError(f"unpacks to more than {MAX_RATIO} times its size", "no capture packs so well")
        return out

    # The next piece, empty at the end of the source.
    def _chunk(self) -> bytes:
        if self._make is None or self._decoder is None:
            return self._count(self._take())
        while True:
            packed = b""
            if self._decoder.eof:
                packed = (self._decoder.unused_data or self._take()).lstrip(b"\0")  # padding between members
                if not packed and not (packed := self._take().lstrip(b"\0")):
                    return b""
                self._decoder = self._make()
                self._streams += 1
                if self._streams > MAX_ENTRIES:
                    raise CaptureError(f"consists of more than {MAX_ENTRIES} compressed parts")
            elif self._decoder.needs_input and not (packed := self._take()):
                raise EOFError("ends too early")
            if out := self._count(self._decoder.decompress(packed, _CHUNK)):
                return out
