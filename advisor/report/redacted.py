"""A fleet report without names, to be handed on.

Hosts, entities and sources become pseudonyms. Messages give way to the titles of their rules, and of evidence only
numbers stay: both may quote what a host says, and a report does not tell which of their words are names.
"""

from __future__ import annotations

from advisor.capture import redact_words
from advisor.capture.pseudonyms import Pseudonyms
from advisor.hints import TYPE_CHECKING
from advisor.record import replace
from advisor.report.fleet import Since

if TYPE_CHECKING:
    from advisor.report.fleet import Advice, FleetFinding, FleetReport, HostResult, OpenCheck

_IDENTITY = frozenset({"name", "host.boot_id"})
_CGROUP = "/sys/fs/cgroup"


def redact(fleet: FleetReport, key: bytes) -> FleetReport:
    """The report with pseudonyms; with the same key they are those of redacted captures.

    Args:
        fleet: what to hand on.
        key: the secret that the pseudonyms rest on, of 16 bytes or more.
    """
    return _Redactor(fleet, key).report()


class _Redactor:
    """Redacts one report."""

    def __init__(self, fleet: FleetReport, key: bytes) -> None:
        self.fleet = fleet
        self.names = Pseudonyms(key)
        for host in fleet.hosts:
            self.names.learn("host", host.name)

    def report(self) -> FleetReport:
        """The whole."""
        fleet, change = self.fleet, self.fleet.since
        return replace(
            fleet,
            title="Memory of the fleet",
            hosts=tuple(map(self._host, fleet.hosts)),
            unreadable=tuple(
                (self.names.learn("source", source), self._words(why)) for source, why in fleet.unreadable
            ),
            notes=tuple(map(self._words, fleet.notes)),
            since=self._since(change) if change else None,
        )

    def _since(self, change: Since) -> Since:
        new, gone = (
            tuple((self._name(host), self._finding(finding)) for host, finding in pairs)
            for pairs in (change.new, change.gone)
        )
        return Since(new, gone, tuple(map(self._name, change.new_hosts)), tuple(map(self._name, change.gone_hosts)))

    def _host(self, host: HostResult) -> HostResult:
        return replace(
            host,
            name=self._name(host.name),
            findings=tuple(map(self._finding, host.findings)),
            open=tuple(map(self._open, host.open)),
            recommendations=tuple(map(self._advice, host.recommendations)),
            facts={name: value for name, value in host.facts.items() if name not in _IDENTITY},
        )

    def _name(self, host: str) -> str:
        return self.names.learn("host", host) if host else ""

    def _finding(self, finding: FleetFinding) -> FleetFinding:
        return replace(
            finding,
            message=finding.title,
            entity=self._entity(finding.entity),
            # A fingerprint is a plain hash over the host's name, so the name could be tried out.
            fingerprint=self.names.digits(finding.fingerprint) if finding.fingerprint else "",
            evidence=tuple(
                replace(proof, source=self._words(f"/{proof.source}").removeprefix("/"))
                for proof in finding.evidence
                if not isinstance(proof.value, str)
            ),
            waived="a waiver of the policy" if finding.waived else "",
        )

    def _open(self, check: OpenCheck) -> OpenCheck:
        return replace(check, reason=self._words(check.reason), entity=self._entity(check.entity))

    def _advice(self, advice: Advice) -> Advice:
        return replace(advice, text=self._words(advice.text), because="")

    def _entity(self, entity: str) -> str:
        """A zone or node keeps its name; a control group and a process get pseudonyms."""
        if not entity or entity.startswith(("node ", "Node ")):
            return entity
        if entity.startswith("/"):
            return "/".join(self._part(part) for part in entity.split("/"))
        return self.names.of(entity)

    def _part(self, part: str) -> str:
        return part and self.names.learn("group", part)

    def _words(self, text: str) -> str:
        return redact_words.redact(text, word=self._if_known, path=self._path, address=self.names.of)

    def _if_known(self, word: str) -> str:
        return self.names.of(word) if self.names.knows(word) else word

    def _path(self, path: str) -> str:
        """A path in a sentence of ours: the kernel's stay, but for the names of control groups in them."""
        head, cgroup, rest = path.partition(_CGROUP)
        if cgroup:
            *groups, name = rest.split("/")
            return head + cgroup + "/".join([*map(self._part, groups), name])
        known = path.lstrip("/").split("/", 1)
        return path if known[0] in {"proc", "sys", "log"} or known[0][1:].isdigit() else self.names.of(path)
