"""Free text without names: words that the kernel and its tools print stay, all others become pseudonyms.

It is a list of what may stay, not of what must go: a name that nobody thought of is not on it.
"""

from __future__ import annotations

import re

from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# What kernel messages about memory, and free, top, vmstat, swapon and sysconfig files are made of.
_WORDS = """
    Active Allocated Available Boot Buffers CPU CPUs Call Trace Cached CmaFree CmaTotal Code Comm
    CONSTRAINT_CPUSET CONSTRAINT_MEMCG CONSTRAINT_MEMORY_POLICY CONSTRAINT_NONE COMMAND Cpu DEBUG DMA DMA32
    Device ERROR Filename Free Hardware HighMem INFO Info Inactive KVM KiB Kdump Kernel Kill Killed Linux Load
    MEM Mem MemAlloc MemAlloc-Info Mem-Info Mem-info Memory Migrate MiB GiB Movable MovableOnly NAME NI NUMA
    Node Normal Not Out PID PR PREEMPT PREEMPT_RT PREEMPT_DYNAMIC PRIO Pid Priority RAM RES S SHR SIZE SLAB SLUB
    SMP SWAP Size Swap TIME TYPE Tainted Task Tasks Threads Total Type U UID USED USER Unable Update Used VIRT
    VmData WARNING Warning Workqueue a above active active_anon active_file adj after all all_unreclaimable
    alloc allocate allocated allocating allocation allocations an and anon anon-rss anon_thp are as at avail
    available average avg backtrace batch be because been being below bi blocked bo boost boot bounce buff
    buff/cache buffers but by bytes cache cached callbacks cgroup child cma code comm computed constraint
    contiguous copied cpu cpuset cs data day days deadlock deadlocked default defined dentry detected dirty
    disabled disable drivers due during dying emergency enabled errno error exceed exceeded exiting failcnt
    failed fails failure failure. file file-rss fixed flags for found fragmentation frag free free_cma
    free_highatomic free_pcp from full get gfp gfp_flags gfp_mask global global_oom going group has hash heap
    help high highmem host hours hpage huge hugepage hugepages hugetlb hwpoison hwpoisoned
    hung_task_timeout_secs id idle if ignore_rlimit_data in inact inactive inactive_anon inactive_file increase
    invoked is isolated isolated_anon isolated_file it its kB KB kbytes kernel kernel_misc_reclaimable
    kernel_stack kill killed killing kmem last lazy limit limits load loaded local_pcp low lowmem lowmem_reserve
    managed mapped mapped-anon mapped-file mapped_file max meminfo memory memory+swap memory.oom.group
    mems_allowed message migratetype min min_free_kbytes minutes mlocked mmap mode more movable nice no node
    nodemask nodes none not now null number object objs of on oom oom-kill oom-killer oom_adj oom_count
    oom_kill_allocating_task oom_kill_process oom_memcg oom_reaper oom_score oom_score_adj oomkilladj option or
    order out own page pagecache pages pages_scanned pagetables panic panic_on_oom parent partition percpu pgd
    pgtables pgtables_bytes pid please policy preferred present priority process processes protection r raising
    reached reap reaped reclaim reclaimable request reserve reserved reserved_highatomic reserves result rss
    rss_huge running sacrifice saved score sec_pagetables seconds seconds. secs send set shared shmem shmem-rss
    shmem_pmdmapped shmem_thp show si size size. slab slab_reclaimable slab_unreclaimable slabs sleeping slots
    so st stalling stalls state stats step still stopped suppressed swap swap_cgroup swapcache swapin_readahead
    swapin sy syncing system system-wide tainted taking task task_memcg tasks than that the this throttled thp
    tid time timeout to top total total-vm total_vm transparent trying type types ulimit unable under
    unevictable unmovable unstable up updated us usage use used user users using value very victim vmalloc vmap
    vm vm.panic_on_oom wa waiting was warn warn_alloc was were when which will with without writeback
    writeback_tmp writepending yes you zone zones zombie zram zspages zswap gib mib kib swapper kswapd kcompactd
    khugepaged kworker ksoftirqd migration rcu_sched rcu_preempt kthreadd init swapoff Jan Feb Mar Apr May Jun
    Jul Aug Sep Oct Nov Dec Mon Tue Wed Thu Fri Sat Sun UTC procs
    swpd gu io disk load average zombie System killable
    warn_alloc_failed alloc_vmap_area slab_out_of_memory __alloc_pages_slowpath out_of_memory
    __ratelimit printk_ratelimit dump_header
"""
_VOCABULARY = frozenset(_WORDS.split())

# Signs of taint (kernel/panic.c) and kinds of free blocks (mm/show_mem.c) in the kernel's order, so that few names can
# be spelt with them; numbers with units, kernel releases.
_SHAPES = re.compile(
    r"[PG]?F?S?R?M?B?U?D?A?W?C?I?O?E?L?K?X?T?N?J?|U?M?E?H?C?I?|U?E?M?R?C?I?|[A-Z]"
    r"|[-+]?[0-9]+(?:[.,][0-9]+)*(?:[kKMGTm]i?B?|[kmg]|ms|us|ns|s|pages?|th|st|min)?%?|0x[0-9a-fA-F]+"
    r"|(?:__)?GFP_[A-Z_]+|[0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}-[\w.+~-]+|u?[0-9]{1,6}(?:-[0-9]{1,6})?|[a-z]|[CT][0-9]+"
    r"|(?:kswapd|kcompactd|cpu|node|CPU|Node)[0-9]+|\.+|-+|_+|…"
)
_IPV4 = r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w.]*[0-9])"
_MAC = r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5,7}[0-9A-Fa-f]{2}(?![\w:])"
_HEXES = r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*"
_IPV6 = rf"(?<![\w:.])(?:(?:{_HEXES})?::(?:{_HEXES})?|(?:[0-9A-Fa-f]{{1,4}}:){{4,7}}[0-9A-Fa-f]{{1,4}})(?![\w:])"
_ADDRESS = rf"{_IPV4}|{_MAC}|{_IPV6}"
_PATH = r"(?<![\w)\]])/[^\s,:;\"'()<>\[\]{}=|]+"
_WORD = r"""[^\s:=,()\[\]{}<>/"';|&*+!?#%$^~\\`]+"""
_TOKEN = re.compile(rf"(?P<address>{_ADDRESS})|(?P<path>{_PATH})|(?P<word>{_WORD})")


def known(word: str, names: Collection[str] = ()) -> bool:
    """Whether a word says nothing about whose host it is.

    Args:
        word: from a text.
        names: what hosts are called; "node1" may stay where no host has this name.

    >>> known("oom-kill"), known("12.5kB"), known("GFP_ATOMIC"), known("web1")
    (True, True, True, False)
    >>> known("node1"), known("node1", {"node1"})
    (True, False)
    """
    plain = word.strip("-").rstrip(".")
    return not plain or plain in _VOCABULARY or (plain not in names and _SHAPES.fullmatch(plain) is not None)


def redact(text: str, *, word: Callable[[str], str], path: Callable[[str], str], address: Callable[[str], str]) -> str:
    """The text with everything replaced that may be a name.

    Args:
        text: any text.
        word: gives what stands for a word, which may be the word itself.
        path: gives what stands for a path that begins with a slash.
        address: gives what stands for an address of a network.
    """

    def replaced(match: re.Match[str]) -> str:
        if match["address"]:
            return address(match[0]) if match[0].strip(":") else match[0]
        if match["path"]:
            return path(match[0])
        return word(match[0])

    return _TOKEN.sub(replaced, text)
