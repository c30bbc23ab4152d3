"""Random well-typed expressions and rows, and an evaluator that shares nothing with the product.

An expression is a nested tuple of this module's own: `("lit", value, text)`, `("sig", name)`, `(word, part, …)`.
"""

from __future__ import annotations

import math
from functools import cache

from hypothesis import strategies as st

from advisor.engine.names import Type, number

NUMBERS = {
    "B": ("mem.free", "mem.total"),
    "page": ("zone.low", "zone.free"),
    "B/page": ("page_size",),
    "1/s": ("rate.allocstall", "rate.oom_kill"),
    "ratio": ("psi.some", "psi.full"),
    "": ("host.cpus", "n"),
    "s": ("host.uptime",),
}
FLAGS = ("zram.active", "host.container")
MODES = ("always", "madvise", "never")
CATALOGUE: dict[str, Type] = {
    **{name: number(unit) for unit, names in NUMBERS.items() for name in names},
    **{name: Type("bool") for name in FLAGS},
    "thp.enabled": Type("str", choices=MODES),
    "host.role": Type("str"),
}
LITERALS = {
    "B": {"KiB": 1024.0, "MiB": 1048576.0, "B": 1.0},
    "page": {"page": 1.0},
    "B/page": {"KiB/page": 1024.0},
    "1/s": {"1/s": 1.0},
    "s": {"s": 1.0, "min": 60.0, "ms": 1e-3},
}
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "and": "and", "or": "or"}
ORDERS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def _literal(unit: str) -> st.SearchStrategy[tuple]:
    plain = st.sampled_from((0.0, 1.0, 2.0, 7.0, 0.5, 4096.0))
    if unit == "":
        return plain.map(lambda v: ("lit", v, f"{v:g}"))
    if unit == "ratio":
        percents = st.integers(0, 250).map(lambda v: ("lit", v * 0.01, f"({v} * percent)"))
        return percents | st.sampled_from((0.0, 0.03)).map(lambda v: ("lit", v, f"{v:g}"))
    texts = LITERALS[unit]
    return st.tuples(plain, st.sampled_from(sorted(texts))).map(
        lambda pair: ("lit", pair[0] * texts[pair[1]], f"({pair[0]:g} * {pair[1]})".replace("* 1/s", "/ s"))
    )


@cache
def numeric(unit: str, depth: int) -> st.SearchStrategy[tuple]:
    """Numbers of one unit."""
    leaf = st.sampled_from(NUMBERS[unit]).map(lambda name: ("sig", name)) | _literal(unit)
    if depth == 0:
        return leaf
    same = st.deferred(lambda: numeric(unit, depth - 1))
    count = st.deferred(lambda: numeric("", depth - 1))
    choices = [
        leaf,
        st.tuples(st.sampled_from(("add", "sub", "min", "max")), same, same),
        st.tuples(st.just("clamp"), same, same, same),
        st.tuples(st.sampled_from(("neg", "abs", "ceil", "floor")), same),
        st.tuples(st.just("if"), st.deferred(lambda: condition(depth - 1)), same, same),
    ]
    if unit == "ratio":
        # A share of a plain number is a plain number, so products stay among ratios.
        choices.append(st.tuples(st.just("mul"), same, same))
    else:
        choices.append(st.tuples(st.sampled_from(("mul", "div")), same, count))
    if unit == "":
        sized = st.deferred(lambda: numeric("B", depth - 1))
        choices += [st.tuples(st.just("div"), sized, sized), st.tuples(st.just("sqrt"), same)]
    if unit == "page":
        parts = (st.deferred(lambda u=u: numeric(u, depth - 1)) for u in ("B", "B/page"))
        choices.append(st.tuples(st.just("div"), *parts))
    return st.one_of(choices)


def _comparison(depth: int) -> st.SearchStrategy[tuple]:
    orders = st.sampled_from(sorted(ORDERS))

    def of_unit(unit: str) -> st.SearchStrategy[tuple]:
        side = numeric(unit, depth)
        constants = st.lists(_literal(unit), min_size=1, max_size=3).map(tuple)
        return st.one_of(
            st.tuples(orders, side, side),
            st.tuples(st.just("chain"), orders, orders, side, side, side),
            st.tuples(st.sampled_from(("in", "notin")), side, constants),
            st.tuples(st.just("known"), side),
        )

    return st.sampled_from(sorted(NUMBERS)).flatmap(of_unit)


@cache
def condition(depth: int) -> st.SearchStrategy[tuple]:
    """Conditions."""
    flags = st.sampled_from(FLAGS).map(lambda name: ("sig", name))
    modes = st.sampled_from(MODES).map(lambda mode: ("lit", mode, f"'{mode}'"))
    texts = st.one_of(
        st.tuples(st.sampled_from(("eq", "ne")), st.just(("sig", "thp.enabled")), modes),
        st.tuples(st.sampled_from(("eq", "ne")), st.just(("sig", "host.role")), st.just(("sig", "thp.enabled"))),
        st.tuples(st.just("in"), st.just(("sig", "host.role")), st.lists(modes, min_size=1).map(tuple)),
        st.tuples(st.sampled_from(("defined", "undefined")), st.just(("sig", "host.role"))),
    )
    bools = st.booleans().map(lambda value: ("lit", value, str(value).lower()))
    if depth == 0:
        return st.one_of(flags, texts, bools)
    part = st.deferred(lambda: condition(depth - 1))
    return st.one_of(
        _comparison(depth - 1),
        st.tuples(st.sampled_from(("and", "or")), part, part),
        st.tuples(st.just("not"), part),
        st.tuples(st.just("if"), part, part, part),
        flags,
        texts,
    )


def rows(*, missing: bool = True) -> st.SearchStrategy[dict]:
    """Rows in which names may be absent, unknown, zero, equal to each other, or no finite number."""
    values = st.sampled_from((0.0, 1.0, 2.0, 7.0, 0.5, 4096.0, 1048576.0, 7340032.0, 1e300))
    unknown = [st.none(), st.sampled_from((math.nan, math.inf, -math.inf))] if missing else []
    modes = st.sampled_from(MODES)
    fields: dict[str, st.SearchStrategy] = {
        name: st.one_of(values, values, values, *unknown) for names in NUMBERS.values() for name in names
    }
    fields |= {name: st.one_of(st.booleans(), *unknown[:1]) for name in FLAGS}
    fields |= {name: st.one_of(modes, *unknown[:1]) for name in ("thp.enabled", "host.role")}
    return st.fixed_dictionaries({}, optional=fields) if missing else st.fixed_dictionaries(fields)


def text_of(tree: tuple) -> str:
    """The expression in the rule language."""
    word, *parts = tree
    if word == "lit":
        return parts[1]
    if word == "sig":
        return parts[0]
    if word == "chain":
        first, second, a, b, c = parts
        return f"({text_of(a)} {ORDERS[first]} {text_of(b)} {ORDERS[second]} {text_of(c)})"
    if word in ("in", "notin"):
        values = ", ".join(text_of(value) for value in parts[1])
        return f"({text_of(parts[0])} {'not ' * (word == 'notin')}in [{values}])"
    texts = [text_of(part) for part in parts]
    if word in SYMBOLS or word in ORDERS:
        return f"({texts[0]} {SYMBOLS.get(word) or ORDERS[word]} {texts[1]})"
    if word == "if":
        return f"({texts[1]} if {texts[0]} else {texts[2]})"
    if word in ("neg", "not"):
        return f"({'-' if word == 'neg' else 'not '}{texts[0]})"
    if word in ("defined", "undefined"):
        return f"({texts[0]} is {word})"
    return f"{word}({', '.join(texts)})"


def has_known(tree: tuple) -> bool:
    """Whether the expression asks if something is known."""
    return tree[0] in ("known", "defined", "undefined") or any(
        has_known(part) for part in tree[1:] if isinstance(part, tuple)
    )


def reference(tree: tuple, row: dict) -> object:
    """The value of an expression, None for unknown, as slowly and plainly as can be."""
    word, *parts = tree
    if word == "lit":
        return parts[0]
    if word == "sig":
        return _finite(row.get(parts[0]))
    if word == "chain":
        first, second, a, b, c = parts
        return reference(("and", (first, a, b), (second, b, c)), row)
    if word in ("in", "notin"):
        anything = ("lit", word == "notin", "")
        for value in parts[1]:
            same = ("eq", parts[0], value)
            anything = ("or", same, anything) if word == "in" else ("and", ("not", same), anything)
        return reference(anything if word == "in" else ("and", anything, ("lit", True, "")), row)
    if word == "if":
        chosen = reference(parts[0], row)
        return None if chosen is None else reference(parts[1] if chosen else parts[2], row)
    values = [reference(part, row) for part in parts]
    if word in ("known", "defined", "undefined"):
        return (values[0] is not None) == (word != "undefined")
    if word in ("and", "or"):
        decisive = word == "or"
        return decisive if decisive in values else None if None in values else not decisive
    if None in values:
        return None
    return _finite(_apply(word, values))


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _apply(word: str, values: list) -> object:
    a, b, c = (*values, None, None)[:3]
    functions = {
        "not": lambda: not a,
        "neg": lambda: -a,
        "abs": lambda: a if a >= 0 else -a,
        "ceil": lambda: float(math.ceil(a)),
        "floor": lambda: float(math.floor(a)),
        "sqrt": lambda: a**0.5 if a >= 0 else None,
        "add": lambda: a + b,
        "sub": lambda: a - b,
        "mul": lambda: a * b,
        "div": lambda: None if b == 0 else a / b,
        "min": lambda: min(a, b),
        "max": lambda: max(a, b),
        "clamp": lambda: c if a > c or b > c else max(a, b),
        "lt": lambda: a < b,
        "le": lambda: a <= b,
        "gt": lambda: a > b,
        "ge": lambda: a >= b,
        "eq": lambda: a == b,
        "ne": lambda: a != b,
    }
    return functions[word]()
