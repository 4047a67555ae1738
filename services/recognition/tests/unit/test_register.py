import itertools
from collections.abc import Iterator
from datetime import date

import pytest

from sangkien.kernel.numbering import Numbered
from sangkien.recognition.domain.candidate import Author, Candidate, PrintedNames, Vote
from sangkien.recognition.domain.decision import Decision, Issue, State
from sangkien.recognition.domain.events import CertificateFixed, DossierTurnedDown, InitiativeEntered
from sangkien.recognition.domain.register import CertificateData, Sealed, Sealing, certificate_number, enter
from sangkien.recognition.domain.signature import Authority, Issuer, Signature

DAY = date(2023, 12, 20)
AUTHORS = (Author("hn:A", 6_000), Author("hn:B", 4_000))


def issued(symbol: str = "3034/QĐ-UBND") -> Decision:
    decision = Decision("DEC", "hn:I", "/QĐ-UBND", "R1", (), "hn:S", State.BAN_HANH, True)
    signature = Signature("hn:L", "Lan", Authority("TM", "Chủ tịch"))
    number = int(symbol.partition("/")[0])
    decision.issue = Issue(Numbered(number, symbol), DAY, Issuer("UBND quận"), signature, (), "Sáng kiến cấp quận")
    return decision


def candidate(*, initiative_id: str = "", reason: str = "") -> Candidate:
    vote = Vote("D1", "R1", "district", not reason, DAY, "rules", "Tên", "giao-duc", "hn:U", AUTHORS, initiative_id)
    return Candidate(vote, 5, "", "DEC", reason, PrintedNames("Trường", ("An", "Bình")))


@pytest.fixture
def ids() -> Iterator[str]:
    return (f"N{n}" for n in itertools.count(1))


@pytest.fixture
def sealed() -> list[CertificateData]:
    """What was sealed, in order."""
    return []


@pytest.fixture
def sealing(ids: Iterator[str], sealed: list[CertificateData]) -> Sealing:
    def seal(data: CertificateData) -> Sealed:
        sealed.append(data)
        return Sealed("{}", f"sha-{data['holder']}", f"code-{data['holder']}")

    return Sealing(lambda: next(ids), seal)


def test_first_tier_gives_an_initiative_and_a_certificate_for_each_author(
    sealing: Sealing, sealed: list[CertificateData]
) -> None:
    entered = enter(issued(), candidate(), ordinal=7, sealing=sealing)
    assert entered.entry is not None
    assert (entered.entry.entry_id, entered.entry.unit_name) == ("N1:district", "Trường")
    assert [(one.certificate_id, one.number, one.person_id) for one in entered.certificates] == [
        ("N2", "3034.0007/GCN-UBND", "hn:A"),
        ("N3", "3034.0008/GCN-UBND", "hn:B"),
    ]
    assert [(data["holder"], data["co_authors"]) for data in sealed] == [("An", ["Bình"]), ("Bình", ["An"])]
    assert [data.get("salt") for data in sealed] == [None, None]
    recognised = InitiativeEntered(
        "N1", "D1", "DEC", "3034/QĐ-UBND", "R1", "district", "Tên", "hn:U", AUTHORS, recognised_on=DAY
    )
    assert entered.events == (
        recognised,
        CertificateFixed("N2", "N1", "D1", "R1", "hn:A", "3034.0007/GCN-UBND", "sha-An", DAY),
        CertificateFixed("N3", "N1", "D1", "R1", "hn:B", "3034.0008/GCN-UBND", "sha-Bình", DAY),
    )


def test_higher_tier_enters_the_initiative_again_and_gives_no_certificate(sealing: Sealing) -> None:
    entered = enter(issued(), candidate(initiative_id="I9"), ordinal=1, sealing=sealing)
    assert entered.entry is not None
    assert (entered.entry.entry_id, entered.certificates, len(entered.events)) == ("I9:district", (), 1)


def test_refused_item_enters_nothing_and_says_why(sealing: Sealing) -> None:
    entered = enter(issued(), candidate(reason="KHONG_DU_PHIEU"), ordinal=1, sealing=sealing)
    told = DossierTurnedDown("D1", "DEC", "3034/QĐ-UBND", "R1", ("hn:A", "hn:B"), "KHONG_DU_PHIEU", DAY)
    assert (entered.entry, entered.certificates, entered.events) == (None, (), (told,))


@pytest.mark.parametrize(
    ("symbol", "number"),
    [("07/QĐ-UBND", "07.0001/GCN-UBND"), ("88/KT", "88.0001/GCN"), ("900/QĐ-HĐKH&CN", "900.0001/GCN-HĐKH&CN")],
)
def test_certificate_number_follows_the_decision(symbol: str, number: str) -> None:
    assert certificate_number(issued(symbol).standing(), 1) == number
