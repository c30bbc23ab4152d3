"""Text to Jinja2 syntax tree, with the place of every token.

Jinja2's nodes carry a line number and nothing else. We feed its parser a token stream in which the "line
number" of a token is its offset in the text, so that every node and every syntax error tells where it
stands.
"""

from __future__ import annotations

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from advisor.errors import ExpressionError
from advisor.hints import TYPE_CHECKING, TypeVar
from advisor.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_TEXT = 2000
_MAX_PARENTHESES = 30  # Jinja2's parser takes about 14 frames of the stack for each

_environment = Environment(autoescape=False, keep_trailing_newline=True)  # noqa: S701 - nothing is rendered with it
_PARTS = frozenset(("name", "integer", "float", "string", "operator"))
_TAGS = frozenset(("if", "else", "endif"))
_FORBIDDEN = {
    "**": ("'**' (power)", "write x * x, or sqrt(x)"),
    "//": ("'//' (floor division)", "write floor(a / b)"),
    "%": ("'%' (modulo)", "write 5 * percent for a share"),
    "~": ("'~' (joining of texts)", ""),
    "|": ("'|' (filter)", "filters stand in messages only; the word for 'either' is or"),
    "=": ("'=' (assignment)", "write == to compare"),
    ":": ("':' (slice or mapping)", ""),
    "{": ("'{' (mapping)", ""),
    "}": ("'}' (mapping)", ""),
    ";": ("';'", ""),
}
_HINTS = {
    "&": "write and",
    "!": "write not",
    "?": "write a if condition else b",
    "#": "comments do not belong in an expression",
}
_OPEN, _CLOSE = ("(", "["), (")", "]")
# Nodes whose "line number" is that of their own token; that of the others is where the parser happened to be.
_ANCHORED = (
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Call,
    nodes.Filter,
    nodes.Test,
    nodes.Neg,
    nodes.Pos,
    nodes.Not,
    nodes.List,
)


class Token(Record):
    """A word or sign of the text: where it starts, what it is for the lexer, and its characters."""

    start: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        """The offset just after the token."""
        return self.start + len(self.text)


class Source(Record):
    """A text and its tokens.

    Args:
        text: as the author wrote it.
        tokens: without white space, in order.
        index: the number of the token that starts at an offset.
    """

    text: str
    tokens: tuple[Token, ...]
    index: dict[int, int]

    def error(self, message: str, culprit: nodes.Node | Token, hint: str = "") -> ExpressionError:
        """Returns an error that points at a node or a token."""
        if isinstance(culprit, Token):
            return ExpressionError(message, self.text, culprit.start, len(culprit.text), hint)
        start, length = self.span(culprit)
        return ExpressionError(message, self.text, start, length, hint)

    def span(self, node: nodes.Node) -> tuple[int, int]:
        """Returns offset and length of the text of a node."""
        places = sorted(self._places(node)) or [self.index.get(node.lineno, 0)]
        first, last = self._balanced(places[0], places[-1])
        start = self.tokens[first].start
        return start, self.tokens[last].end - start

    def _places(self, node: nodes.Node) -> Iterator[int]:
        pending = [node]
        while pending:
            current = pending.pop()
            pending.extend(current.iter_child_nodes())
            place = self.index.get(current.lineno) if isinstance(current, _ANCHORED) else None
            if place is not None:
                yield place
                yield place + self._words_after(current, place)

    # How many tokens a node has behind its own one and that no child covers.
    def _words_after(self, node: nodes.Node, place: int) -> int:
        if isinstance(node, nodes.Getattr):
            return 1
        if isinstance(node, nodes.Test):
            return 2 if self.tokens[place + 1].text == "not" else 1
        count = 0
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            # Texts that follow each other are one constant.
            while (
                self.tokens[place + count + 1 : place + count + 2] and self.tokens[place + count + 1].kind == "string"
            ):
                count += 1
        return count

    # Parentheses have no nodes; a span that holds one half of a pair is extended to the other.
    def _balanced(self, first: int, last: int) -> tuple[int, int]:
        opened = closed = 0
        for token in self.tokens[first : last + 1]:
            if token.text in _OPEN:
                opened += 1
            elif token.text in _CLOSE:
                opened, closed = (opened - 1, closed) if opened else (0, closed + 1)
        first = self._partner(first, closed, _OPEN, _CLOSE, -1)
        return first, self._partner(last, opened, _CLOSE, _OPEN, 1)

    def _partner(self, place: int, missing: int, wanted: tuple[str, str], other: tuple[str, str], step: int) -> int:
        while missing and 0 <= place + step < len(self.tokens):
            place += step
            text = self.tokens[place].text
            missing += (text in other) - (text in wanted)
        return place


def parse_expression(text: str) -> tuple[Source, nodes.Expr]:
    """Returns the tokens and the syntax tree of an expression.

    Raises:
        ExpressionError: for anything that is not one expression, and for signs that are not of the language.
    """
    source = _source(text, "variable")
    _refuse_signs(source, "an expression")
    if not source.tokens:
        raise ExpressionError("the expression is empty", text)
    return source, _parse(source, _whole_expression, "the expression")


def parse_template(text: str) -> tuple[Source, nodes.Template]:
    """Returns the tokens and the syntax tree of a message.

    Raises:
        ExpressionError: for text that is no message, and for tags other than if, else and endif.
    """
    source = _source(text, None)
    _refuse_tags(source)
    _refuse_signs(source, "a message")
    return source, _parse(source, Parser.parse, "the message")


def _source(text: str, state: str | None) -> Source:
    if not isinstance(text, str):
        raise ExpressionError(f"not a text but {type(text).__name__}", repr(text)[:80], 0, 1, "put it in quotes")
    if len(text) > MAX_TEXT:
        raise ExpressionError(f"longer than {MAX_TEXT} characters", text, MAX_TEXT, len(text) - MAX_TEXT)
    if "\r" in text:
        # The lexer would drop it and shift every place behind it.
        raise ExpressionError("carriage return in the text", text, text.index("\r"))
    tokens = tuple(token for token in _tokens(text, state) if token.kind != "whitespace")
    return Source(text, tokens, {token.start: number for number, token in enumerate(tokens)})


def _tokens(text: str, state: str | None) -> Iterator[Token]:
    end = 0
    try:
        for _, kind, value in _environment.lexer.tokeniter(text, None, None, state):
            # The lexer may have dropped white space beside "{%-", hence the search.
            token = Token(text.index(value, end), kind, value)
            end = token.end
            yield token
    except TemplateSyntaxError:
        sign = text[end : end + 1]
        raise ExpressionError(f"unexpected {sign!r}", text, end, 1, _HINTS.get(sign, "")) from None


def _refuse_signs(source: Source, where: str) -> None:
    opened: list[Token] = []
    for token in source.tokens:
        if token.kind in _PARTS:
            _refuse_sign(source, token, where)
            if token.kind == "operator":
                _count_parentheses(source, token, opened)
        elif where == "an expression" or not token.kind.startswith(("data", "variable", "block")):
            raise source.error(f"{token.text.strip()[:20]!r} does not belong in {where}", token)
    if opened:
        raise source.error(f"{opened[-1].text!r} is never closed", opened[-1])


def _refuse_sign(source: Source, token: Token, where: str) -> None:
    if token.kind == "string":
        if "\\" in token.text or not token.text.isprintable():
            raise source.error("backslash or control character in a text", token)
    elif not token.text.isascii():
        raise source.error(f"{token.text[:40]!r} is not ASCII", token, "only texts in quotes may hold other letters")
    elif token.text in _FORBIDDEN and not (token.text == "|" and where == "a message"):
        construct, hint = _FORBIDDEN[token.text]
        raise source.error(f"{construct} is not part of the rule language", token, hint)


def _count_parentheses(source: Source, token: Token, opened: list[Token]) -> None:
    if token.text in _OPEN:
        opened.append(token)
    elif token.text in _CLOSE and opened:
        opened.pop()
    if len(opened) > _MAX_PARENTHESES:
        raise source.error("nested too deep", token, "name a part with let")


def _refuse_tags(source: Source) -> None:
    tags: list[Token] = []
    for token, word in zip(source.tokens, source.tokens[1:], strict=False):
        if token.kind != "block_begin":
            continue
        if word.text not in _TAGS:
            raise source.error(
                f"the tag {word.text[:40]!r} is not part of a message", word, "only if, else and endif are"
            )
        if word.text == "if":
            tags.append(word)
        elif word.text == "endif" and tags:
            tags.pop()
    if tags:
        raise source.error("'if' is never closed", tags[-1], "add {% endif %}")


_Node = TypeVar("_Node", bound=nodes.Node)


def _parse(source: Source, parse: Callable[[Parser], _Node], what: str) -> _Node:
    parser = Parser(_environment, "", state="variable")
    try:
        raw = ((token.start, token.kind, token.text) for token in source.tokens)
        parser.stream = TokenStream(_environment.lexer.wrap(raw), None, None)
        return parse(parser)
    except TemplateSyntaxError as error:
        place = source.index.get(error.lineno)
        if place is None or parser.stream.current.type == "eof":
            raise ExpressionError(f"{what} ends too early", source.text, len(source.text)) from None
        token = source.tokens[place]
        raise source.error(f"unexpected {token.text.strip()[:40]!r}", token) from None
    except (RecursionError, ValueError):
        raise ExpressionError(f"{what} is nested too deep", source.text, 0, len(source.text)) from None


def _whole_expression(parser: Parser) -> nodes.Expr:
    tree = parser.parse_expression()
    if not parser.stream.eos:
        parser.fail("more than one expression", parser.stream.current.lineno)
    return tree
