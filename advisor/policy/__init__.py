"""What an organisation demands of its hosts, on top of what the rules find: a policy file, judged like any rule.

A required value becomes a rule of its own, so the same evaluators judge it, on one host and on a fleet; overrides
change rules before they judge; waivers mark findings after they were made. See docs/policy.md.
"""
