"""Kernel logs for tests: a capture of one, and reports of kills as old kernels print them."""

from advisor.capture.model import Capture, Sample

KIB, MIB = 1 << 10, 1 << 20


def of_log(text, **files):
    return Capture((Sample({path.replace("__", "/"): content for path, content in files.items()}),), kernel_log=text)


def zone_line(name, free, low=30, node=0, **more):
    amounts = {"free": free, "min": 20, "low": low, "high": 40, "active_file": 0, "inactive_file": 0} | more
    text = " ".join(f"{key}:{amount * MIB // KIB}kB" for key, amount in amounts.items())
    return f"Node {node} {name} {text} present:1048576kB managed:1048576kB\n"


def oom(mask="0x24201ca(GFP_HIGHUSER_MOVABLE|__GFP_COLD)", zones=(), order=0, between="", kill=True):
    dump = f"x invoked oom-killer: gfp_mask={mask}, order={order}, oom_score_adj=0\n{between}Mem-Info:\n"
    return (
        dump + "".join(zones) + ("Out of memory: Killed process 7 (hog) total-vm:1kB, anon-rss:1kB\n" if kill else "")
    )
