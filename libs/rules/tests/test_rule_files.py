import unicodedata
from collections.abc import Callable
from datetime import date
from importlib import resources
from typing import Any

import pytest
import yaml

from sangkien.kernel import Refusal, check_shares, parse_share
from sangkien.rules import RuleDataError, due, quote, refusals, score_sheet
from sangkien.rules.loading import parse
from sangkien.rules.rewards import _Book as RewardBook
from sangkien.rules.scoring import evaluate
from sangkien.text.catalogue import fix, known_codes, message

FILES = sorted(f.name for f in resources.files("sangkien.rules").joinpath("data").iterdir())
SALARY = """
forms: [{code: f, vi: F, en: F}]
instruments: []
base_salaries:
  - id: s1
    domain: base_salary
    jurisdiction: vn
    valid_from: 2020-01-01
    valid_to: 2020-12-31
    source: {document: D, article: null}
    verified: true
    vnd: 100
"""
SECOND = SALARY.split("base_salaries:\n")[1].replace("s1", "s2")
INSTRUMENT = """
forms: [{code: f, vi: F, en: F}]
base_salaries: []
instruments:
  - id: i1
    domain: reward
    jurisdiction: vn
    valid_from: 2020-01-01
    valid_to: null
    source: {document: D, article: null}
    verified: true
    rounding: {step_vnd: 10000, article: null, verified: true}
    coefficients:
      - {form: f, individual: 30}
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SALARY.replace("vnd: 100", 'vnd: "100"'), "r.yaml: base_salaries > s1 > vnd: Input should be a valid integer"),
        (SALARY.replace("vnd: 100", "vnd: 1.5"), "r.yaml: base_salaries > s1 > vnd: Input should be a valid integer"),
        (SALARY.replace("    vnd: 100\n", ""), "r.yaml: base_salaries > s1 > vnd: Field required"),
        (SALARY.replace("vnd:", "vnd: 1\n    dong:"), "r.yaml: base_salaries > s1 > dong: Unexpected keyword argument"),
        (
            SALARY.replace("2020-12-31", "2020-12-32"),
            "r.yaml: base_salaries > s1 > valid_to: Input should be a valid date",
        ),
        (
            SALARY.replace("2020-12-31", "2019-12-31"),
            "r.yaml: base_salaries > s1: Value error, period ends on 2019-12-31",
        ),
        (
            SALARY.replace("verified: true", "verified: false"),
            "r.yaml: base_salaries > s1: Value error, verified is true",
        ),
        (SALARY + "    unverified: [vnd]\n", "r.yaml: base_salaries > s1: Value error, verified is true exactly when"),
        (
            SALARY + "    certain_to: 2021-01-01\n",
            "r.yaml: base_salaries > s1: Value error, certain_from and certain_to",
        ),
        (SALARY + "    vnd: 200\n", "written twice: vnd"),
        (SALARY + SECOND, "r.yaml: Value error, s2: period overlaps that of s1"),
        (SALARY + SECOND.replace("s2", "s1").replace("2020", "2021"), "r.yaml: Value error, s1: id is used twice"),
        (SALARY.replace("domain: base_salary", "domain: x"), "r.yaml: Value error, s1: domain is x, not base_salary"),
        (
            INSTRUMENT.replace("individual: 30", "individual: 0.3"),
            "instruments > i1 > coefficients > f > individual: Input",
        ),
        (INSTRUMENT.replace("form: f", "form: g"), "r.yaml: Value error, i1: form is not in forms or is used twice: g"),
        (
            INSTRUMENT.replace("individual: 30", "doubled: true"),
            "instruments > i1 > coefficients > f: Value error, needs",
        ),
        (
            INSTRUMENT.replace("individual: 30", "individual: 30, unverified: [coeficient]"),
            "i1 > coefficients > f > unverified > 1: Input should be 'coefficient', 'collective_factor' or 'issuer'",
        ),
        ("[", "r.yaml: while parsing"),
        ("", "r.yaml: Input should be an object"),
    ],
)
def test_bad_rule_file_is_refused_by_file_entry_and_field(text: str, says: str) -> None:
    with pytest.raises(RuleDataError) as refused:
        parse(text, "r.yaml", RewardBook)
    assert says in str(refused.value)


@pytest.mark.parametrize("text", [SALARY, SALARY + SECOND.replace("2020", "2021"), INSTRUMENT])
def test_good_rule_file_is_read(text: str) -> None:
    book = parse(text, "r.yaml", RewardBook)
    assert [salary.vnd for salary in book.base_salaries] == [100] * text.count(" vnd: 100")


def test_bad_rule_file_names_all_its_faults_at_once() -> None:
    with pytest.raises(RuleDataError) as refused:
        parse(SALARY.replace("vnd: 100", "vnd: x").replace("domain: base_salary", "domain: 3"), "r.yaml", RewardBook)
    assert len(str(refused.value).splitlines()) == 2


def unverified_parts(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = set(node.get("unverified", [])) | {part for part in ("certain_from", "certain_to") if part in node}
        return own.union(*(unverified_parts(value) for value in node.values()))
    return set[str]().union(*(unverified_parts(value) for value in node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("name", FILES)
def test_every_unverified_part_has_words_and_the_file_is_nfc(name: str) -> None:
    text = resources.files("sangkien.rules").joinpath("data", name).read_text("utf-8")
    assert unicodedata.is_normalized("NFC", text)
    parts = {part.replace("certain_", "valid_") for part in unverified_parts(yaml.safe_load(text))}
    extra = {"rounding", "holidays", "base_salary.valid_from", "instrument.valid_from", "instrument.valid_to"}
    assert {f"unverified.{part}" for part in parts | extra} - known_codes() == set()


def raised_refusals() -> list[Refusal]:
    day = date(2023, 12, 20)
    sheet = score_sheet("vn/ha-noi", "city", day)
    scores = dict.fromkeys(("novelty", "applicability", "benefit"), 1)
    attempts: list[Callable[[], object]] = [
        lambda: quote("x", "individual", day),
        lambda: quote("cstd-co-so", "collective", day),
        lambda: quote("cstd-co-so", "individual", date(2010, 1, 1)),
        lambda: due("x", day),
        lambda: due("decide", date(2099, 12, 1)),
        lambda: score_sheet("la", "city", day),
        lambda: evaluate(sheet, []),
        lambda: evaluate(sheet, [{}]),
        lambda: evaluate(sheet, [scores | {"charm": 1}]),
        lambda: evaluate(sheet, [scores | {"novelty": 41}]),
        lambda: parse_share("x"),
        lambda: check_shares([1]),
        lambda: check_shares([0]),
    ]
    raised = []
    for attempt in attempts:
        with pytest.raises(Refusal) as refused:
            attempt()
        raised.append(refused.value)
    return raised


def test_every_refusal_says_what_happened_and_how_to_mend_it_in_both_languages() -> None:
    raised = raised_refusals()
    declared = {kind.code for kind in Refusal.__subclasses__() if kind.__module__ == refusals.__name__}
    assert {one.code for one in raised} == declared | {"share_malformed", "share_out_of_range", "shares_not_100"}
    texts = [text(one.code, one.facts, lang) for one in raised for text in (message, fix) for lang in ("vi", "en")]
    assert [text for text in texts if not text or "…" in text or text in known_codes()] == []
