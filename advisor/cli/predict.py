"""Say what a change would do, with the kernel's own formulas, before anybody makes it.

example: advisor predict vm.watermark_scale_factor=100 vm.min_free_kbytes=131072

Prints the marks of each zone before and after, the memory given up, the change of MemAvailable, and the smallest
value that has any effect. SOURCE may be any capture; without it this host is read once. Nothing is written.
"""

from __future__ import annotations

import json

from advisor.cli import OK, _shared
from advisor.errors import AdvisorError, Unknown, UsageError
from advisor.hints import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from advisor.signals.view import View
    from advisor.tunables import Value


def configure(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    parser.add_argument("arguments", nargs="+", metavar="SETTING=VALUE … [SOURCE]", help="what to change; and where")
    _shared.add_output(parser, "text", "json")


def run(arguments: argparse.Namespace) -> int:
    """Does it."""
    from advisor.known import predict_changes  # noqa: PLC0415
    from advisor.objections import objections  # noqa: PLC0415
    from advisor.signals.view import views  # noqa: PLC0415

    changes, source = _parse(arguments.arguments)
    view, _parts = views(_shared.one_sample(source))
    _refuse(view, changes)
    prediction = predict_changes(view, changes)
    if prediction is None:
        raise AdvisorError("the capture has no /proc/zoneinfo with /proc/sys/vm/min_free_kbytes to predict from")
    against = objections(prediction)
    if arguments.format == "json":
        from advisor.report import as_json  # noqa: PLC0415

        document = {
            "schema": "memadvisor/prediction/1",
            **as_json.prediction_document(prediction),
            "objections": against,
        }
        _shared.put(arguments, json.dumps(document, indent=2) + "\n")
    else:
        from advisor.report import prediction as form  # noqa: PLC0415

        _shared.show_lines(arguments, form.layout(prediction, against, _shared.width()))
    return OK


def _parse(words: Sequence[str]) -> tuple[dict[str, Value], str | None]:
    """The changes, and the source, if any."""
    from advisor.tunables import get, parse_value  # noqa: PLC0415

    changes: dict[str, Value] = {}
    sources = [word for word in words if "=" not in word]
    for word in words:
        name, equals, text = word.partition("=")
        if equals:
            changes[get(name).name] = parse_value(get(name), text)
    if not changes:
        raise UsageError("nothing to predict", "say SETTING=VALUE, for example vm.watermark_scale_factor=100")
    if len(sources) > 1:
        raise UsageError(f"one SOURCE at most, not {len(sources)}: {', '.join(sources)}")
    return changes, sources[0] if sources else None


def _refuse(view: View, changes: Mapping[str, Value]) -> None:
    """Raises for a value that the kernel of the capture would refuse."""
    from advisor.signals.formula import features  # noqa: PLC0415
    from advisor.tunables import get, validate  # noqa: PLC0415

    try:
        present = features(view)
    except Unknown as reason:
        raise AdvisorError(reason.message, reason.hint) from None
    for name, value in changes.items():
        refusal = validate(get(name), value, present)
        if refusal is not None:
            raise AdvisorError(f"{name}: {refusal}")
