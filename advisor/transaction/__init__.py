"""From wishes to one transaction for a host: what to write, in which order, and what else is to be known.

    composed = compose(capture, {"vm.swappiness": 10, "vm.min_free_kbytes": ">= 131072"}, Options(new_id(now, noise)))
    composed.raise_refusals()
    composed.document          the JSON that travels (docs/transaction.md)
    composed.settings          previous, wanted, file, other lines, who wins at boot

`compose_plan` takes a plan instead of wishes, `absent` and `restored` take changes back from receipts, `without` some
of one that is not confirmed yet.

Everything here is pure. The host executes the document and knows nothing of settings.
"""

from __future__ import annotations

from advisor.transaction.compose import compose
from advisor.transaction.file import read_wishes
from advisor.transaction.model import (
    FORMAT,
    RECEIPT,
    SYSCTL_FILE,
    TMPFILES_FILE,
    Composed,
    Options,
    Refusal,
    new_id,
)
from advisor.transaction.planned import compose_plan, read_plan
from advisor.transaction.undo import absent, restored, without

__all__ = [
    "FORMAT",
    "RECEIPT",
    "SYSCTL_FILE",
    "TMPFILES_FILE",
    "Composed",
    "Options",
    "Refusal",
    "absent",
    "compose",
    "compose_plan",
    "new_id",
    "read_plan",
    "read_wishes",
    "restored",
    "without",
]
