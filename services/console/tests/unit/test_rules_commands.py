import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from sangkien.console.commands import rules_commands


@pytest.fixture
def sangkien() -> typer.Typer:
    app = typer.Typer()
    rules_commands.add_to(app)
    return app


def run(app: typer.Typer, line: str) -> Result:
    return CliRunner().invoke(app, line.split())


def asked(app: typer.Typer, line: str, *, status: int = 0) -> dict[str, Any]:
    """The one object on stdout; anything beside it does not parse."""
    result = run(app, f"{line} --json")
    assert result.exit_code == status, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_quote_says_amount_reckoning_and_rules_as_one_object(sangkien: typer.Typer) -> None:
    assert asked(sangkien, "reward quote --form giay-khen-quan --holder collective --on 2023-12-20") == {
        "form": "giay-khen-quan",
        "holder": "collective",
        "on": "2023-12-20",
        "amount_vnd": 1_080_000,
        "derivation": [
            "Nghị định 24/2023/NĐ-CP: 1.800.000",
            "Nghị định 91/2017/NĐ-CP, Điều 73: 0,30 × 2 = 0,60",
            "1.800.000 × 0,60 = 1.080.000",
            "1.080.000 → 1.080.000 (↑ 10.000)",
        ],
        "verified": True,
        "unverified": [],
        "rule_set": "vn.reward.nd-91-2017+vn.base-salary.2023-07-01",
        "sources": [
            "Nghị định 24/2023/NĐ-CP",
            "Nghị định 91/2017/NĐ-CP, Điều 73",
            "Nghị định 91/2017/NĐ-CP, Điều 68(2)",
        ],
    }


def test_quote_of_a_form_nobody_can_grant_has_its_amount_and_says_so(sangkien: typer.Typer) -> None:
    found = asked(sangkien, "reward quote --form Giay-Khen-Quan --holder Individual --on 1/7/2025")
    assert (found["amount_vnd"], found["verified"], found["on"]) == (710_000, False, "2025-07-01")
    assert found["unverified"] == [
        (
            "issuer: cơ quan ban hành: từ 01/07/2025 không còn quận, nên không cơ quan nào ban hành được hình thức này"
            " · issuer: no quận (urban district) has existed since 01/07/2025, so nobody can issue this form"
        ),
        "rounding: quy định làm tròn · rounding",
    ]


def test_quote_for_people_is_vietnamese_first(sangkien: typer.Typer) -> None:
    result = run(sangkien, "reward quote --form giay-khen-xa --holder individual --on 01/07/2025")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            "Giấy khen của UBND xã, phường · Certificate of merit of a commune or ward",
            "Cá nhân · Individual, 01/07/2025: 710.000\u00a0đ",
            "  Nghị định 73/2024/NĐ-CP: 2.340.000",
            "  Nghị định 152/2025/NĐ-CP, Điều 54(1)(e): 0,30",
            "  2.340.000 × 0,30 = 702.000",
            "  702.000 → 710.000 (↑ 10.000)",
            "Bộ quy định · Rule set: vn.reward.nd-152-2025+vn.base-salary.2024-07-01",
            "Chưa kiểm chứng · Not verified:",
            "  quy định làm tròn · rounding",
        ],
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("reward quote --form giay-khen --holder individual --on 2023-12-20", "unknown_form"),
        ("reward quote --form cstd-co-so --holder collective --on 2023-12-20", "form_not_for_holder"),
        ("reward quote --form giay-khen-quan --holder individual --on 2010-01-01", "no_rule_on_date"),
        ("reward quote --form giay-khen-quan --holder everybody --on 2023-12-20", "holder_unknown"),
        ("reward quote --form giay-khen-quan --holder individual --on 2023-02-29", "date_malformed"),
        ("reward quote --form giay-khen-quan --holder individual --on 20231220", "date_malformed"),
        ("reward quote --form giay-khen-quan --holder individual --on 12/20/2023", "date_malformed"),
        ("clock --rule formal-checks --from 2026-11-20", "unknown_clock"),
        ("clock --rule decide --from 2010-01-01", "no_rule_on_date"),
        ("clock --rule decide --from 9999-12-31", "no_calendar"),
        ("clock --rule decide --from hôm-nay", "date_malformed"),
    ],
)
def test_refusal_ends_with_status_1_and_says_what_and_how_to_mend_it(
    sangkien: typer.Typer, line: str, code: str
) -> None:
    error = asked(sangkien, line, status=1)["error"]
    assert (error.keys(), error["code"]) == ({"code", "message", "fix"}, code)
    assert [text.count(" · ") for text in (error["message"], error["fix"])] != [0, 0]

    spoken = run(sangkien, line)
    assert (spoken.exit_code, spoken.stdout) == (1, "")
    assert spoken.stderr.startswith("✗ ")


@pytest.mark.parametrize(
    ("rule", "start", "due"),
    [
        ("FORMAL-CHECK", "2023-03-09", "2023-04-10"),  # 09/04/2023 is a Sunday
        ("supplement", "31/01/2023", "2023-02-28"),
        ("decide", "30/11/2026", "2027-03-01"),  # no 30 February; 28/02/2027 is a Sunday
        ("appeal-file", "2023-12-20", "2024-03-19"),
        ("appeal-accept", "2023-12-20", "2024-01-02"),  # 30/12 to 01/01 are days off
        ("appeal-resolve", "2023-12-20", "2024-01-19"),
    ],
)
def test_clock_says_the_last_day_and_why(sangkien: typer.Typer, rule: str, start: str, due: str) -> None:
    found = asked(sangkien, f"clock --rule {rule} --from {start}")
    assert found["due"] == due
    assert len(found["why"]) == len(found["why_en"]) > 0


def test_clock_gives_its_reasons_in_both_languages(sangkien: typer.Typer) -> None:
    found = asked(sangkien, "clock --rule decide --from 30/11/2026")
    assert found["why"][0] == "Nghị định 13/2012/NĐ-CP, Điều 7(1): 3 tháng kể từ 30/11/2026, ngày cuối là 28/02/2027."
    assert found["why"][2] == "28/02/2027 là ngày nghỉ: Chủ nhật."
    assert found["why_en"][2] == "28 February 2027 is a day off: Sunday."
    result = run(sangkien, "clock --rule decide --from 30/11/2026")
    assert result.stdout.splitlines()[0] == "Hạn cuối · Due: 01/03/2027 (2027-03-01)"
