"""HTML pages from templates: escaped by default, no name of a host acts, nothing is loaded from anywhere."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from advisor import __version__
from advisor.report.layout import clean


def _printable(value: Any) -> Any:
    """Text without control characters and overrides of direction: markup is escaped by Jinja, these are not."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("advisor.report", "templates"),
        autoescape=True,
        finalize=_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(template: str, **values: Any) -> str:
    """A page of the named template."""
    return _environment().get_template(template).render(version=__version__, **values)
