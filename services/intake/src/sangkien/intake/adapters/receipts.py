"""The receipt as a document (giấy biên nhận; TT 18/2013/TT-BKHCN, Điều 6(1), Phụ lục II)."""

import asyncio
from datetime import datetime, time, timedelta, timezone
from typing import Final

from sangkien.intake.application.queries import ReceiptFacts

_HANOI: Final = timezone(timedelta(hours=7))


async def receipt_pdf(facts: ReceiptFacts, place: str) -> bytes:
    """The receipt as PDF, typeset in a thread. `place` is where the unit sits, printed before the date.

    A dossier recorded on another day than its legal day of filing bears the beginning of the latter: the hour at which
    paper came in is not known.
    """
    from sangkien.documents import Letterhead, Receipt, Signature, render_receipt  # the typesetter is for few calls

    recorded = facts.filed_at.astimezone(_HANOI)
    receipt = Receipt(
        letterhead=Letterhead(agency=facts.receiver, place=place),
        number=facts.code,
        dossier_code=facts.code,
        title=facts.title,
        filer=facts.filer,
        filer_unit=facts.filer_unit,
        received_at=recorded if recorded.date() == facts.filed_on else datetime.combine(facts.filed_on, time(), _HANOI),
        answer_by=facts.answer_due,
        signature=Signature(position="Bộ phận tiếp nhận", name="Tiếp nhận điện tử"),
        channel="Trực tuyến",
        confidential=facts.confidential,
    )
    return await asyncio.to_thread(render_receipt, receipt)
