"""What a policy comes to for one host: its groups, the rules as changed for it, its gate, and its waivers."""

from __future__ import annotations

from advisor.findings import FAIL, Finding
from advisor.hints import TYPE_CHECKING
from advisor.policy.model import DEFAULT_GATE, Member, Policy, Terms, Waived, Waiver, merged
from advisor.record import Record, replace
from advisor.rulebook.library import Check, check_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from advisor.rulebook.model import Rule
    from advisor.signals.model import Value


class Local(Record):
    """What a policy comes to for one host.

    Attributes:
        name: the policy's name.
        host: the host's name.
        groups: the groups that it belongs to.
        role: what it is for; None when the policy does not say.
        fail_on: the least severity that fails its gate, or never.
        checks: the rules to judge it by: with the policy's changes, and with its required values.
        waivers: those that hold today.
        warnings: what is wrong with the policy as far as this host is concerned, a sentence each.
    """

    name: str
    host: str
    groups: tuple[str, ...]
    role: str | None
    fail_on: str
    checks: tuple[Check, ...]
    waivers: tuple[Waiver, ...]
    warnings: tuple[str, ...]

    def demands(self, rule: str) -> bool:
        """Whether a rule is one of its required values."""
        return rule.startswith(f"policy.{self.name}.")

    def waive(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings, those that somebody answers for marked so."""
        return tuple(self._waived(finding) if finding.state == FAIL else finding for finding in findings)

    def _waived(self, finding: Finding) -> Finding:
        for waiver in self.waivers:
            if waiver.covers(finding.rule, self.host, finding.entity):
                return replace(finding, waived=waived(waiver))
        return finding

    def unused(self, findings: Sequence[Finding]) -> tuple[str, ...]:
        """Warnings of waivers that name this very host and cover nothing; patterns may be meant for others."""
        failed = [f for f in findings if f.state == FAIL]
        return tuple(
            waiver.matches_nothing("on this host")
            for waiver in self.waivers
            if self.host.lower() in {host.lower() for host in waiver.hosts}
            and not any(waiver.covers(f.rule, self.host, f.entity) for f in failed)
        )


def waived(waiver: Waiver) -> Waived:
    """What reports say of a waiver."""
    return Waived(waiver.owner, waiver.reason, waiver.expires.isoformat())


class InForce:
    """A policy together with what it is applied to.

    Args:
        policy: the policy.
        checks: the rules in force.
        read: gives the text of a rule file: changed thresholds are put in and checked like those of the file.
        today: decides which waivers hold.
    """

    def __init__(self, policy: Policy, checks: Sequence[Check], read: Callable[[str], str], today: date) -> None:
        self.policy, self.checks, self.today = policy, tuple(checks), today
        self._read = read
        self._changed: dict[tuple[str, ...], tuple[Check, ...]] = {}

    def local(self, member: Member, values: Mapping[str, Value]) -> Local:
        """What it comes to for a host.

        Args:
            member: the host's name, inventory groups and labels.
            values: its signals, at least `Policy.signals`.

        Raises:
            RuleError: a rule file cannot be read any more.
        """
        groups, unsure = self.policy.groups_of(member, values)
        terms = terms_of(self.policy, groups)
        return Local(
            self.policy.name,
            member.host,
            groups,
            terms.role,
            terms.fail_on or DEFAULT_GATE,
            self.checks_for(groups),
            tuple(waiver for waiver in self.policy.waivers if not waiver.expired(self.today)),
            (*_expired(self.policy, member.host, self.today), *_unsure(self.policy, unsure, member, values)),
        )

    def checks_for(self, groups: tuple[str, ...]) -> tuple[Check, ...]:
        """The rules for hosts of exactly these groups: with the policy's changes, and its required values."""
        if groups not in self._changed:
            terms = terms_of(self.policy, groups)
            kept = [self._one(check, terms) for check in self.checks]
            self._changed[groups] = (*(check for check in kept if check is not None), *terms.required.values())
        return self._changed[groups]

    def _one(self, check: Check, terms: Terms) -> Check | None:
        override = terms.overrides.get(check.id)
        if override is None or override.enabled is False:
            return check if override is None else None
        rule = self._with_params(check.rule(), dict(override.params))
        if override.severity is not None:
            rule = replace(rule, severity=override.severity, critical_when=None)
        return check_of(rule, check.family)

    def _with_params(self, rule: Rule, params: Mapping[str, float]) -> Rule:
        if not params:
            return rule
        from advisor.rulebook import source  # noqa: PLC0415  (YAML, pydantic, Jinja2; few policies change thresholds)

        return source.load(self._read(rule.origin), rule.origin, params).rule


def terms_of(policy: Policy, groups: Iterable[str]) -> Terms:
    """What holds for the hosts of exactly these groups; later groups of the file win."""
    inside = set(groups)
    return merged([policy.terms, *(group.terms for group in policy.groups if group.name in inside)])


def _expired(policy: Policy, host: str, today: date) -> list[str]:
    return [
        waiver.has_expired()
        for waiver in policy.waivers
        if waiver.expired(today) and waiver.covers(waiver.rule, host, waiver.entity)
    ]


def _unsure(policy: Policy, groups: Sequence[str], member: Member, values: Mapping[str, Value]) -> list[str]:
    known = {**values, **member.names()}
    warnings = []
    for group in policy.groups:
        if group.name in groups and group.when is not None:
            missing = sorted(name for name in group.when.names if known.get(name) is None)
            warnings.append(f"whether this host is in the group '{group.name}' cannot be told: "
                            f"{', '.join(missing)} unknown; it is judged as outside")  # fmt: skip
    return warnings
