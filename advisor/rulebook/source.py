"""From the text of a rule file to a checked rule, or an error that points at the culprit.

Loaded only when a rule file is new or has changed: it needs YAML, pydantic and Jinja2.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from advisor.engine.check import check
from advisor.engine.dimension import parse_quantity, parse_unit
from advisor.engine.names import Type, check_names, number
from advisor.engine.suggest import did_you_mean
from advisor.engine.template import check_template
from advisor.errors import ExpressionError
from advisor.hints import TYPE_CHECKING, Any
from advisor.record import Record
from advisor.rulebook.document import Document
from advisor.rulebook.model import Advice, Doubt, Param, Risk, Rule, RuleOut, Verify
from advisor.rulebook.schema import RulePart
from advisor.rulebook.wording import param_text, words
from advisor.signals.model import Signal, catalogue, scopes
from advisor.tunables import TUNABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.engine.checked import Checked

_SECOND = parse_unit("s")

# What may be recommended and is no setting; the words are those of incident reports.
NON_SETTINGS = ("capacity.ram", "capacity.swap", "kernel", "workload", "earlyoom/oomd", "numa.policy")
_TRIGGERS = ("vm.compact_memory", "vm.drop_caches")
_CGROUP = "cgroup.memory."


class Loaded(Record):
    """A checked rule, and the test cases that its file holds."""

    rule: Rule
    part: RulePart


def signal_type(signal: Signal) -> Type:
    """The type that the rule language gives a signal."""
    if signal.unit == "bool":
        return Type("bool")
    if signal.unit == "text":
        return Type("str", choices=signal.choices or None)
    return number(signal.unit)


@cache
def types_for(scope: str) -> Mapping[str, Type]:
    """Every name that a rule of this scope may use: signals of the host and of the scope."""
    return {s.name: signal_type(s) for s in catalogue().values() if s.scope in {"host", scope}}


def load(text: str, file: str, params: Mapping[str, float] = MappingProxyType({})) -> Loaded:
    """The rule of a file.

    Args:
        text: the file's text.
        file: its name for messages; the stem must be the rule's id.
        params: values, in their own unit, that stand in for the defaults of some params.

    Raises:
        RuleError: with file, line, column, the line itself, a caret, and what to do.
    """
    return _Source(text, file, params).load()


class _Source(Document):
    """One rule file while it is being checked."""

    def __init__(self, text: str, file: str, params: Mapping[str, float]) -> None:
        super().__init__(text, file, "a rule file is a mapping of fields", "begin with 'id: the-name-of-this-file'")
        self.overrides = params

    def load(self) -> Loaded:
        part = self.validated(RulePart, _fields_at)
        self.check_identity(part)
        signals = types_for(part.scope)
        params = self.params(part)
        let = self.let(part, signals, params)
        compiled = _Compiler(self, signals, {**params, **let})
        rule = compiled.rule(part)
        self.check_used(part, compiled.words)
        self.check_names_exist(part, signals)
        return Loaded(rule, part)

    def check_identity(self, part: RulePart) -> None:
        stem = self.file.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if part.id != stem:
            raise self.at(["id"], f"the id must be the name of the file, '{stem}'")
        if part.scope not in scopes():
            raise self.at(["scope"], f"unknown scope '{part.scope}'", f"known: {', '.join(scopes())}")
        if part.recommend and part.risk is None:
            raise self.at(
                ["recommend"],
                "a recommendation needs the field 'risk'",
                "say what it costs, and how to undo it",
            )
        states = {case.expect.state for case in part.cases}
        if not {"fail", "pass"} <= states:
            raise self.at(["cases"], "a rule needs at least one case that fires (fail) and one that stays quiet (pass)")

    def params(self, part: RulePart) -> dict[str, Checked]:
        found = {}
        for name, param in part.params.items():
            if param.unit:
                try:
                    parse_unit(param.unit)
                except ExpressionError as error:
                    raise self.at(["params", name, "unit"], error.message, error.hint) from None
            text = param_text(self.overrides.get(name, param.default), param.unit)
            found[name] = self.expression(["params", name, "default"], text, {}, {}, want="num")
        return found

    def let(self, part: RulePart, signals: Mapping[str, Type], params: Mapping[str, Checked]) -> dict[str, Checked]:
        try:
            check_names((*part.params, *part.let))
        except ExpressionError as error:
            raise self.at(["params" if error.text in part.params else "let"], error.message) from None
        known = dict(params)
        for name, text in part.let.items():
            if name in signals or name in known:
                raise self.at(["let", name], f"'{name}' is the name of a signal or a param already")
            known[name] = self.expression(["let", name], text, signals, known, want=None)
        return {name: known[name] for name in part.let}

    def expression(self, path: list[str | int], value: Any, signals: Mapping[str, Type],
                   let: Mapping[str, Checked], want: str | None = "bool") -> Checked:  # fmt: skip
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            return check(text, signals, want=want, let=let)
        except ExpressionError as error:
            raise self.within(path, error) from None

    def check_used(self, part: RulePart, words: set[str]) -> None:
        for field in ("params", "let"):
            for name in getattr(part, field):
                if name not in words:
                    raise self.at([field, name], f"'{name}' is never used", "use it or remove it")

    def check_names_exist(self, part: RulePart, signals: Mapping[str, Type]) -> None:
        lists: list[tuple[list[str | int], Iterable[str]]] = [
            (["applies", "has"], part.applies.has),
            (["evidence"], part.evidence),
            (["base"], part.base),
        ]
        for index, case in enumerate(part.cases):
            lists += [(["cases", index, "given"], case.given), (["cases", index, "without"], case.without)]
        for path, names in lists:
            for position, name in enumerate(names):
                if name not in signals:
                    step = position if isinstance(names, list) else name
                    raise self.at([*path, step], f"unknown signal '{name}'", did_you_mean(name, signals))


class _Compiler:
    """Checks every expression and text of a rule against its names."""

    def __init__(self, source: _Source, signals: Mapping[str, Type], let: Mapping[str, Checked]) -> None:
        self.source, self.signals, self.let = source, signals, let
        self.words: set[str] = set()  # every word of every expression, to find unused params

    def expr(self, value: Any, *path: str | int, want: str | None = "bool") -> Checked:
        self.words |= words(str(value))
        return self.source.expression(list(path), value, self.signals, self.let, want)

    def optional(self, value: Any, *path: str | int, want: str | None = "bool") -> Checked | None:
        return None if value is None else self.expr(value, *path, want=want)

    def text(self, value: str, *path: str | int) -> Any:
        self.words |= words(value)
        try:
            return check_template(" ".join(value.split()), self.signals, self.let)
        except ExpressionError as error:
            raise self.source.within(list(path), error) from None

    def rule(self, part: RulePart) -> Rule:
        for value in part.let.values():
            self.words |= words(str(value))
        return Rule(
            id=part.id,
            title=part.title,
            severity=part.severity,
            status=part.status,
            since=part.since,
            diagnosis=part.diagnosis,
            scope=part.scope,
            what=part.what.strip(),
            why=part.why.strip(),
            has=tuple(part.applies.has),
            unless=self.optional(part.applies.unless, "applies", "unless"),
            window_s=self.seconds(part.needs.window, "needs", "window"),
            params=tuple(
                Param(n, param_text(self.source.overrides.get(n, p.default), p.unit), p.help, p.basis)
                for n, p in part.params.items()
            ),
            when=self.expr(part.when, "when"),
            critical_when=self.optional(part.critical_when, "critical_when"),
            harm=self.optional(part.harm, "harm", want="num"),
            supports=tuple(self.expr(text, "supports", i) for i, text in enumerate(part.supports)),
            doubts=tuple(
                Doubt(self.expr(d.when, "doubts", i, "when"), self.text(d.because, "doubts", i, "because"))
                for i, d in enumerate(part.doubts)
            ),
            rules_out=tuple(
                RuleOut(
                    r.rival,
                    self.expr(r.when, "rules_out", i, "when"),
                    self.text(r.because, "rules_out", i, "because"),
                )
                for i, r in enumerate(part.rules_out)
            ),
            yields_to=tuple(part.yields_to),
            message=self.text(part.message, "message"),
            evidence=tuple(part.evidence),
            remedy=part.remedy.kind,
            remedy_text=part.remedy.text.strip(),
            advice=tuple(self.advice(part, index) for index in range(len(part.recommend))),
            risk=None if part.risk is None else Risk(part.risk.level, part.risk.text.strip(), part.risk.undo),
            verify=self.verify(part),
            references=tuple(part.references),
            origin=self.source.file,
        )

    def advice(self, part: RulePart, index: int) -> Advice:
        advice = part.recommend[index]
        path = ("recommend", index)
        self.check_setting(advice.setting, *path)
        value = self.optional(advice.value, *path, "value", want=None)
        tunable = TUNABLES.get(advice.setting)
        if value is not None and tunable is not None:
            self.check_value(value, tunable.kind, tunable.unit, *path)
        when = self.optional(advice.when, *path, "when")
        because = self.text(advice.because, *path, "because")
        return Advice(advice.setting, advice.direction, value, advice.round, when, because)

    def check_setting(self, name: str, *path: str | int) -> None:
        known = (*TUNABLES, *NON_SETTINGS, *_TRIGGERS)
        if name in known or name.startswith(_CGROUP):
            return
        raise self.source.at([*path, "setting"], f"unknown setting '{name}'", did_you_mean(name, known))

    def check_value(self, value: Checked, kind: str, unit: str, *path: str | int) -> None:
        wanted = {"int": "num", "choice": "str", "bool": "bool"}.get(kind)
        if value.type.kind != wanted:
            raise self.source.at([*path, "value"], f"the setting takes {wanted}, the value is {value.type.kind}")
        if wanted == "num" and value.type.unit.dim != parse_unit(unit).dim:
            message = (
                f"the setting is in {unit or 'plain numbers'}, the value in {value.type.unit.dim or 'plain numbers'}"
            )
            raise self.source.at([*path, "value"], message, "multiply pages by page_size, or a bare number by its unit")

    def verify(self, part: RulePart) -> Verify | None:
        if part.verify is None:
            return None
        names = {**self.signals, **{f"before.{name}": kind for name, kind in self.signals.items()}}
        expect = []
        for index, text in enumerate(part.verify.expect):
            self.words |= words(str(text))
            expect.append(self.source.expression(["verify", "expect", index], text, names, self.let))
        return Verify(self.seconds(part.verify.after, "verify", "after"), tuple(expect))

    def seconds(self, value: Any, *path: str | int) -> float:
        try:
            return parse_quantity(value, _SECOND)
        except ExpressionError as error:
            raise self.source.at(path, f"{path[0]}: {error.message}", error.hint or "write 60 s or 10 min") from None


def _fields_at(path: tuple[str | int, ...]) -> list[str]:
    """The fields that the schema knows at a path, for suggestions."""
    from advisor.rulebook import schema  # noqa: PLC0415

    parts: dict[str, type[schema.Part]] = {
        "params": schema.ParamPart, "applies": schema.AppliesPart, "needs": schema.NeedsPart,
        "doubts": schema.DoubtPart, "rules_out": schema.RuleOutPart, "remedy": schema.RemedyPart,
        "recommend": schema.AdvicePart, "risk": schema.RiskPart, "verify": schema.VerifyPart,
        "cases": schema.CasePart, "expect": schema.ExpectPart,
    }  # fmt: skip
    names = [step for step in path if isinstance(step, str) and step in parts]
    model: type[schema.Part] = parts[names[-1]] if names else RulePart
    return list(model.model_fields)
