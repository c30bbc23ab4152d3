"""The rule language: checked expressions and message templates, and their evaluation.

The grammar is a small part of that of Jinja2 expressions (what `when:` of a playbook takes). Text is parsed
by Jinja2's own parser and checked once, for names, types and units (`check`, `template`). The result is a
tree of plain values, which can be stored as JSON and is evaluated in three-valued logic without Jinja2
(`rows`, `message`, `explain`). Nothing is imported here, so that a start from stored trees never pays for
Jinja2.
"""
