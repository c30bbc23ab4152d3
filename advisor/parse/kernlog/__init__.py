"""The kernel log: failed page requests, OOM kills, memory dumps and what else it says about memory.

The text may come from dmesg, syslog or journalctl, with or without their prefixes, from any kernel since
2.6. A log is not a file of the kernel with a path, so `READS` is empty.
"""

from __future__ import annotations

from advisor.parse.kernlog.model import KernelLog, Message, Report, ZoneLine

__all__ = ["READS", "KernelLog", "Message", "Report", "ZoneLine", "parse"]

READS: tuple[str, ...] = ()


def parse(text: str) -> KernelLog:
    r"""Read a kernel log.

    >>> log = parse("[12.5] swapper: page allocation failure. order:0, mode:0x4020\n")
    >>> log.reports[0].order, log.reports[0].atomic, log.reports[0].time_s
    (0, True, 12.5)

    Raises:
        ParseError: there is no line of a kernel log in the text.
    """
    # Patterns cost start-up time: those of the trigger where there is no log, the others where it is quiet.
    from advisor.parse.kernlog.trigger import TRIGGER, looks_like_kernel_log  # noqa: PLC0415

    if "\0" not in text and TRIGGER.search(text) is None and looks_like_kernel_log(text):
        return KernelLog()
    from advisor.parse.kernlog.scan import scan  # noqa: PLC0415

    return scan(text)
