"""Every refusal can be told from every other and be read by the people it concerns, in both languages."""

import ast
import importlib
import re
from typing import get_args

import pytest

from sangkien.kernel import Kind, Refusal
from sangkien.text.catalogue import known_codes, placeholders


def subclasses(parent: type[Refusal]) -> set[type[Refusal]]:
    """All below `parent` in the project; a class without a code of its own only groups others."""
    found = {child for direct in parent.__subclasses__() for child in {direct, *subclasses(direct)}}
    return {child for child in found if child.__module__.startswith("sangkien.")}


@pytest.fixture(scope="module")
def refusals(sources: dict[str, ast.Module]) -> dict[str, type[Refusal]]:
    """Class name → class, of every refusal that can be raised."""
    for path in sources:
        name = path.split("/src/", 1)[1].removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if not name.endswith("__main__"):
            importlib.import_module(name)
    return {refusal.__name__: refusal for refusal in subclasses(Refusal) if hasattr(refusal, "code")}


def test_refusals_have_codes_of_their_own(refusals: dict[str, type[Refusal]]) -> None:
    codes = sorted(refusal.code for refusal in subclasses(Refusal) if "code" in vars(refusal))
    assert codes == sorted(set(codes))
    assert [code for code in codes if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", code)] == []


def test_refusals_say_how_the_edge_reports_them(refusals: dict[str, type[Refusal]]) -> None:
    assert {name: refusal.kind for name, refusal in refusals.items() if refusal.kind not in get_args(Kind)} == {}


def test_refusals_have_a_text(refusals: dict[str, type[Refusal]]) -> None:
    assert {name: refusal.code for name, refusal in refusals.items() if refusal.code not in known_codes()} == {}


def test_refusals_give_their_text_every_fact_it_uses(
    refusals: dict[str, type[Refusal]], sources: dict[str, ast.Module]
) -> None:
    lacking = {}
    for path, tree in sources.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            raised = refusals.get(node.func.id if isinstance(node.func, ast.Name) else node.func.attr)
            given = {keyword.arg for keyword in node.keywords}
            if raised is None or raised.__init__ is not Refusal.__init__ or None in given:
                continue
            if missing := placeholders(raised.code) - given:
                lacking[f"{path}:{node.lineno} {raised.__name__}"] = sorted(missing)
    assert lacking == {}
