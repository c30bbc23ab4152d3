"""What rules/README.md tells authors is true."""

import re

from advisor.rulebook import cases, library, schema, source

TEXT = (library.builtin_folder() / "README.md").read_text(encoding="utf-8")


def test_the_example_is_a_rule_that_passes_its_cases():
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[1]
    assert list(cases.run(source.load(example, "rules/reserve-too-small.yml"))) == []


def test_every_field_of_a_rule_file_is_in_the_table():
    table = TEXT[TEXT.index("## Fields") :]
    parts = [
        schema.RulePart, schema.AppliesPart, schema.NeedsPart, schema.ParamPart, schema.DoubtPart, schema.RuleOutPart,
        schema.RemedyPart, schema.AdvicePart, schema.RiskPart, schema.VerifyPart, schema.CasePart, schema.ExpectPart,
    ]  # fmt: skip
    named = set(re.findall(r"`([a-z_]+)`", table))
    assert {field for part in parts for field in part.model_fields} - named == set()
