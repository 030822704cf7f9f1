"""How the pages of reports are made: a template beside each job, `style.html.j2` for all of them,
everything escaped."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template


def template(package: str, name: str) -> Template:
    """The template of that name in a package. What it misses is an error, and no empty space."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader("jobs.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = percent
    made.filters["short"] = short
    return made.get_template(name)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def short(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
