"""What the flags of a page request allow it to do, from their names or from the bits of an old kernel.

Names are those of ``include/trace/events/mmflags.h`` in the Linux source, printed since 4.6. Earlier
kernels print only the number. Until 4.3 ``__GFP_WAIT`` is 0x10 and ``__GFP_HIGH`` is 0x20; 4.4 and 4.5
have ``__GFP_DIRECT_RECLAIM`` 0x400000 and set ``__GFP_KSWAPD_RECLAIM`` 0x2000000, a bit that no earlier
kernel used, in every request that may wake kswapd.
"""

from __future__ import annotations

_RECLAIMING = frozenset(
    (
        "GFP_HIGHUSER",
        "GFP_HIGHUSER_MOVABLE",
        "GFP_KERNEL",
        "GFP_KERNEL_ACCOUNT",
        "GFP_NOFS",
        "GFP_NOIO",
        "GFP_TEMPORARY",
        "GFP_USER",
        "__GFP_DIRECT_RECLAIM",
        "___GFP_DIRECT_RECLAIM",
        "__GFP_RECLAIM",
        "__GFP_WAIT",
    )
)
_VARYING = "GFP_TRANSHUGE"  # 4.6 and 4.7 define it without reclaim, later kernels with it
_HIGH = frozenset(("GFP_ATOMIC", "__GFP_HIGH"))

_BIT_WAIT = 0x10
_BIT_HIGH = 0x20
_BIT_DIRECT_RECLAIM = 0x400000
_BIT_KSWAPD_RECLAIM = 0x2000000
_FIRST_RELEASE_WITH_NAMES = (4, 6)


def by_names(flags: tuple[str, ...]) -> tuple[bool, bool | None]:
    """Tell from flag names whether a request is atomic, and whether it may reclaim directly.

    >>> by_names(("GFP_ATOMIC", "__GFP_COMP"))
    (True, False)
    >>> by_names(("GFP_KERNEL", "__GFP_HIGH"))
    (False, True)
    >>> by_names(("GFP_NOWAIT", "__GFP_NOWARN"))
    (False, False)
    """
    reclaims = not _RECLAIMING.isdisjoint(flags)
    if not reclaims and _VARYING in flags:
        return False, None
    return not reclaims and not _HIGH.isdisjoint(flags), reclaims


def by_bits(mask: int, release: str | None) -> tuple[bool | None, bool | None]:
    """Tell from a number without names whether a request is atomic, and whether it may reclaim directly.

    Both are unknown when the release says that names are missing from the line.

    >>> by_bits(0x4020, None), by_bits(0xD0, "3.10.0-1062.el7.x86_64"), by_bits(0x2080020, "4.4.0-21-generic")
    ((True, False), (False, True), (True, False))
    >>> by_bits(0x820, "6.8.0")
    (None, None)
    """
    if release is not None and _version(release) >= _FIRST_RELEASE_WITH_NAMES:
        return None, None
    reclaims = bool(mask & (_BIT_DIRECT_RECLAIM if mask & _BIT_KSWAPD_RECLAIM else _BIT_WAIT))
    return bool(mask & _BIT_HIGH) and not reclaims, reclaims


def _version(release: str) -> tuple[int, int]:
    major, _, rest = release.partition(".")
    minor = ""
    for character in rest:
        if character not in "0123456789":
            break
        minor += character
    return int(major), int(minor or 0)
