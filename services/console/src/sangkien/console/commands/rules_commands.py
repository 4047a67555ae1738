"""`sangkien reward quote` and `sangkien clock`: the rules, asked on this machine, with no node running."""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sangkien.console.commands.speaking import AsJson, Stop, out, print_json, speak
from sangkien.text.catalogue import label, message
from sangkien.text.formats import day, vnd

if TYPE_CHECKING:
    from sangkien.rules import Due, Holder, RewardQuote

_VIETNAMESE_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    reward = typer.Typer(help="Tiền thưởng theo quy định từng thời kỳ · reward money by the rules of the day.")
    reward.command("quote")(quote)
    app.add_typer(reward, name="reward", no_args_is_help=True)
    app.command("clock")(clock)


def quote(
    form: Annotated[str, typer.Option("--form", help="Mã hình thức, ví dụ giay-khen-xa · the form's code.")],
    holder: Annotated[str, typer.Option("--holder", help="individual (cá nhân) | collective (tập thể).")],
    on: Annotated[str, typer.Option("--on", help="Ngày quyết định · day of the decision: 2023-12-20, 20/12/2023.")],
    as_json: AsJson = False,
) -> None:
    """Mức thưởng của một hình thức vào một ngày · what a form is worth on a day, and what of it is not verified."""

    async def work() -> "RewardQuote":
        from sangkien.rules import quote as quoted

        return quoted(_code(form), _holder(holder), _day(on, "--on"))

    found = speak(work(), as_json=as_json)
    if as_json:
        print_json(
            {
                "form": found.form,
                "holder": found.holder,
                "on": found.on.isoformat(),
                "amount_vnd": found.amount_vnd,
                "derivation": list(found.derivation),
                "verified": found.verified,
                "unverified": [f"{part}: {_doubt(part)}" for part in found.unverified],
                "rule_set": found.rule_set_id,
                "sources": list(found.sources),
            }
        )
    else:
        _tell_quote(found)


def clock(
    rule: Annotated[str, typer.Option("--rule", help="Mã thời hạn · the term: formal-check, supplement, decide, …")],
    start: Annotated[str, typer.Option("--from", help="Ngày bắt đầu · first day: 2023-12-20 hoặc 20/12/2023.")],
    as_json: AsJson = False,
) -> None:
    """Ngày cuối của một thời hạn và vì sao · the last day of a legal term, and why it is that day."""

    async def work() -> tuple["Due", "Due"]:
        from sangkien.rules import due

        term, first = _code(rule), _day(start, "--from")
        return due(term, first, lang="vi"), due(term, first, lang="en")

    found, english = speak(work(), as_json=as_json)
    if as_json:
        print_json(
            {
                "due": found.due.isoformat(),
                "why": list(found.why),
                "why_en": list(english.why),
                "verified": found.verified,
                "unverified": [f"{part}: {_doubt(part)}" for part in found.unverified],
                "rule_set": found.rule_set_id,
            }
        )
    else:
        _say(f"Hạn cuối · Due: {day(found.due)} ({found.due.isoformat()})")
        for each in (*found.why, *english.why):
            _say(f"  {each}")
        _tell_doubts(found.unverified)


def _tell_quote(found: "RewardQuote") -> None:
    from sangkien.rules import forms

    form = forms()[found.form]
    holder = f"holder.{found.holder}"
    _say(f"{form.vi} · {form.en}")
    _say(f"{label(holder)} · {label(holder, 'en')}, {day(found.on)}: {vnd(found.amount_vnd)}")
    for step in found.derivation:
        _say(f"  {step}")
    _say(f"Bộ quy định · Rule set: {found.rule_set_id}")
    _tell_doubts(found.unverified)


def _tell_doubts(parts: tuple[str, ...]) -> None:
    if parts:
        _say("Chưa kiểm chứng · Not verified:")
    for part in parts:
        _say(f"  {_doubt(part)}")


def _doubt(part: str) -> str:
    return f"{message(f'unverified.{part}')} · {message(f'unverified.{part}', lang='en')}"


def _say(line: str) -> None:
    out.print(line, markup=False, highlight=False, soft_wrap=True)


def _code(text: str) -> str:
    """A code as it is listed, whatever the case it was typed in."""
    return text.strip().lower()


def _holder(text: str) -> "Holder":
    match _code(text):
        case "individual":
            return "individual"
        case "collective":
            return "collective"
        case _:
            raise Stop(
                "holder_unknown",
                "Đối tượng phải là individual (cá nhân) hoặc collective (tập thể) · "
                "the holder is individual or collective",
                "--holder individual | --holder collective",
            )


def _day(text: str, option: str) -> date:
    """A day as people in Vietnam write it, or as machines do."""
    if found := _VIETNAMESE_DAY.fullmatch(text.strip()):
        numbers: tuple[Any, ...] = (found[3], found[2], found[1])
    elif found := _ISO_DAY.fullmatch(text.strip()):
        numbers = (found[1], found[2], found[3])
    else:
        numbers = ()
    try:
        year, month, day_of_month = map(int, numbers)
        return date(year, month, day_of_month)
    except ValueError:
        raise Stop(
            "date_malformed",
            f"{option}: không phải một ngày có trong lịch · not a day of the calendar",
            f"{option} 2023-12-20 hoặc · or {option} 20/12/2023",
        ) from None
