"""The issued decision with its list on paper (layout of Decree 30/2020/NĐ-CP, Phụ lục I and III)."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from sangkien.reward.domain.decision import Issue, RewardDecision
from sangkien.reward.domain.events import Holder
from sangkien.reward.domain.recipients import Chunk
from sangkien.rules import forms
from sangkien.text.formats import thousands

_SEAT: Final = re.compile(
    r"(?:ủy ban nhân dân|uỷ ban nhân dân|ubnd)\s+(?:thành phố|quận|huyện|thị xã|phường|xã|đặc khu)\s+(.+)",
    re.IGNORECASE,
)


async def decision_pdf(decision: RewardDecision, chunks: Sequence[Chunk], place: str) -> bytes:
    """Typeset in a thread. `place` stands before the date where the issuer's name does not tell its seat."""
    from sangkien.documents import (  # the typesetter is for few calls
        Annex,
        Column,
        Decision,
        Letterhead,
        Section,
        Signature,
        render_decision,
    )

    facts = decision.issued
    names, signing = facts.names, facts.signing
    document = Decision(
        letterhead=Letterhead(agency=names.issuer, place=seat(names.issuer) or place, superior=names.superior),
        symbol=decision.suffix.removeprefix("/"),
        subject=f"Về việc tặng {_form(decision)}",
        authority=names.issuer,
        grounds=tuple(f"Căn cứ {source}" for source in _sources(facts)),
        articles=(_award(decision, facts), "Quyết định này có hiệu lực kể từ ngày ký./."),
        recipients=("Như Điều 1", "Lưu: VT"),
        signature=Signature(
            position=signing.title,
            name=names.signer,
            collective=("Ủy ban nhân dân" if seat(names.issuer) else names.issuer) if signing.mode == "TM" else "",
            mode="" if signing.mode == "TM" else signing.mode,
            on_behalf_of=signing.on_behalf_of,
        ),
        number=facts.numbered.number,
        issued_on=facts.issued_on,
        annex=Annex(
            title="Danh sách khen thưởng",
            columns=(Column("Tên", 3), Column("Đơn vị", 3), Column("Tiền thưởng (đồng)", 2, "right")),
            sections=(
                Section("Cá nhân", _rows(facts, chunks, "individual")),
                Section("Tập thể", _rows(facts, chunks, "collective")),
            ),
            closing=f"Tổng cộng: {thousands(decision.total_vnd)} đồng./.",
        ),
    )
    return await asyncio.to_thread(render_decision, document)


def seat(agency: str) -> str:
    """`Ủy ban nhân dân quận Ba Đình` → `Ba Đình`; "" for an agency that is not named after where it sits."""
    found = _SEAT.fullmatch(agency.strip())
    return found[1] if found else ""


def _form(decision: RewardDecision) -> str:
    return forms()[decision.form].vi


def _award(decision: RewardDecision, facts: Issue) -> str:
    who, sums = [], []
    if facts.individual:
        who.append(f"{decision.individuals} cá nhân")
        sums.append(f"mỗi cá nhân {thousands(facts.individual.amount_vnd)} đồng")
    if facts.collective:
        who.append(f"{decision.collectives} tập thể")
        sums.append(f"mỗi tập thể {thousands(facts.collective.amount_vnd)} đồng")
    return (
        f"Tặng {_form(decision)} cho {' và '.join(who)} (có danh sách kèm theo): {decision.occasion}.\n"
        f"Tiền thưởng: {', '.join(sums)}; tổng cộng {thousands(decision.total_vnd)} đồng."
    )


def _sources(facts: Issue) -> list[str]:
    prices = [price for price in (facts.individual, facts.collective) if price]
    return list(dict.fromkeys(source for price in prices for source in price.sources))


def _rows(facts: Issue, chunks: Sequence[Chunk], holder: Holder) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (named.name, named.unit, thousands(facts.price(holder).amount_vnd))
        for chunk in chunks
        for recipient, named in zip(chunk.recipients, chunk.names, strict=True)
        if recipient.holder == holder
    )
