"""Tells quickly whether a text is a kernel log, and whether it says anything about memory.

Kept apart from the rest, because most logs say nothing, and the other patterns take time to compile.
"""

from __future__ import annotations

import re

TRIGGER = re.compile(
    r"page allocation |failure: order:|[Kk]ill(?:ed)? process |invoked oom-killer|oom-kill:|oom\.group set"
    r"|going to be killed|killed as a result|Out of memory|Mem-[Ii]nfo:|active_anon:|active_file:|unevictable:"
    r"|slab_reclaimable:|free_pcp:|mapped:[0-9]|Active:[0-9]|sec_pagetables:[0-9]|kernel_misc_reclaimable:"
    r"|[a-zA-Z0-9] free:[0-9]|\*[0-9]+kB|lowmem_reserve\[\]|swap *[=:] *[0-9]|total page|pages in swap|reserved pages"
    r"|[0-9] pages (?:of )?(?:RAM|reserved|HighMem|cma|hwp|shared|non-)|[Cc]omm: |cpuset=|blocked for more than"
    r"|MemAlloc|min_free_kbytes|Unable to allocate memory|vmap allocation|vmalloc(?::| error)|VmData"
    r"|callbacks suppressed|deadlocked on memory"
)
"""Stands in every line that this package reads, wherever the line begins."""

_A_KERNEL_LINE = re.compile(
    r"^(?:Linux version [0-9]|<[0-9]{1,3}>|\[ *[0-9]+\.[0-9]+\]|\[[A-Z][a-z]{2} ?[A-Z0-9]"
    r"|[^\n]{0,300}?\bkernel: )",
    re.MULTILINE,
)


def looks_like_kernel_log(text: str) -> bool:
    """Tell whether any line begins as a line of a kernel log does.

    >>> looks_like_kernel_log("[    0.000000] Linux version 6.12.0"), looks_like_kernel_log("No entries")
    (True, False)
    """
    return _A_KERNEL_LINE.search(text) is not None
