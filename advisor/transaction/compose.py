"""A transaction from wishes, or from a plan."""

from __future__ import annotations

from advisor.errors import AdvisorError
from advisor.hints import TYPE_CHECKING
from advisor.known import predict_changes
from advisor.objections import objections
from advisor.outlook import Boot, written
from advisor.predict import PREDICTED
from advisor.record import replace
from advisor.signals.formula import facts_told, features_told
from advisor.transaction.build import build
from advisor.transaction.dropin import line_of
from advisor.transaction.host import Host
from advisor.transaction.model import Composed, Options, Refusal, Step
from advisor.transaction.wanted import Wish, read_all
from advisor.tunables import TUNABLES, Tunable, Value, contradictions, format_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from advisor.capture.model import Capture

_TOGETHER = tuple(name for name in TUNABLES if name.startswith(("vm.dirty_", "vm.overcommit_")))


def compose(capture: Capture, wanted: Mapping[str, object], options: Options) -> Composed:
    """The transaction that makes a host what somebody wants.

    Args:
        capture: of the host, as it is now.
        wanted: by setting, a value or a wish such as ``>= 131072``; see `advisor.transaction.wanted`.
        options: how.

    Returns:
        With a document, or with refusals: one refused setting stops all.
    """
    host = Host(capture)
    wishes, refusals, notes = read_all(wanted, host, options)
    if not refusals:
        wishes = _without_implied_zeroes(wishes)
        refusals = [*_contradicting(host, wishes), *_objected(host, wishes, options)]
    if refusals:
        return Composed(None, notes=tuple(notes), refusals=tuple(refusals))
    boot = Boot(host.files, features_told(host.view))
    steps = [_step(host, boot, wish, options) for wish in wishes]
    return build(host, [*steps, *_twins(host, steps, options)], options, "present", notes=notes)


def _step(host: Host, boot: Boot, wish: Wish, options: Options) -> Step:
    tunable, goal = wish.tunable, wish.goal
    text = format_value(tunable, goal)
    step = Step(tunable, wish.text, reason=options.reasons.get(tunable.name, ""))
    if options.live and not wish.holds(wish.running):
        step = replace(step, live=text, notes=_beyond_policy(host, tunable, goal))
    if goal in tunable.unset:
        return replace(step, line=None, keeps_line=False)
    own = line_of(tunable, host.capture.text((options.file_of(tunable) or "").lstrip("/")))
    outlook = boot.of(tunable)
    stands = not outlook.boot.undone_by and wish.holds(written(tunable, outlook.boot.value))
    if stands and (own is None or wish.holds(written(tunable, own))):
        return step
    return replace(step, line=text, keeps_line=False)


def _without_implied_zeroes(wishes: Sequence[Wish]) -> list[Wish]:
    """Leaves out a 0 for the twin of what is wanted: the write of one of both zeroes the other by itself."""
    counting = {name for wish in wishes if wish.goal != 0 for name in wish.tunable.coupled}
    return [wish for wish in wishes if wish.goal != 0 or wish.tunable.name not in counting]


def _twins(host: Host, steps: Sequence[Step], options: Options) -> list[Step]:
    """Takes the twins of what is kept out of our file: of dirty_ratio and dirty_bytes only one may stand there."""
    kept = {step.tunable.name for step in steps}
    lines = host.capture.text(options.sysctl_file.lstrip("/"))
    return [
        Step(TUNABLES[name], f"left to {step.tunable.name}", keeps_line=False)
        for step in steps
        if step.line is not None
        for name in step.tunable.coupled
        if name not in kept and line_of(TUNABLES[name], lines) is not None
    ]


def _beyond_policy(host: Host, tunable: Tunable, value: Value) -> tuple[str, ...]:
    facts = facts_told(host.view)
    clamp = tunable.clamp(facts) if facts is not None else None
    if clamp is None or not isinstance(value, int) or clamp.lo <= value <= clamp.hi:
        return ()
    return (f"{value} is outside of {clamp.lo} to {clamp.hi}, where memadvisor itself would go: {clamp.why}",)


def _contradicting(host: Host, wishes: Sequence[Wish]) -> list[Refusal]:
    """What is wrong with the settings taken together, unless the host has it already."""
    asked = {wish.tunable.name: wish.goal for wish in wishes}
    now = {name: value for name in _TOGETHER if (value := _or_none(host, TUNABLES[name])) is not None}
    zeroed = {name: 0 for wish in wishes if wish.goal != 0 for name in wish.tunable.coupled if name in now}
    found = dict.fromkeys((*contradictions(asked), *contradictions({**now, **zeroed, **asked})))
    new = (clause for clause in found if clause not in contradictions(now))
    return [Refusal("", clause, "set both of them to values that go together") for clause in new]


def _or_none(host: Host, tunable: Tunable) -> Value | None:
    try:
        return host.value(tunable)
    except AdvisorError:
        return None


def _objected(host: Host, wishes: Sequence[Wish], options: Options) -> list[Refusal]:
    """What speaks against the change of the watermarks: memory that nobody could use any more."""
    changes = {
        wish.tunable.name: wish.goal
        for wish in wishes
        if wish.tunable.name in PREDICTED and not wish.holds(wish.running)
    }
    prediction = predict_changes(host.view, changes) if changes else None
    if prediction is None or prediction.after is None:
        return []  # what cannot be foretold is left to the person who asks for it
    cure = "choose less" if options.approved else "choose less, or let a person decide and set it with approved: true"
    against = objections(prediction, approved=options.approved)
    return [Refusal(", ".join(changes), ", and ".join(against), cure)] if against else []
