"""A year's figures, counted anew from what the services hold or from what they said: never from what they report.

The three ways of knowing them have to agree: the report, the stores, the event streams.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sangkien.testkit.holdings import SERVICES, Documents, Said


@dataclass(frozen=True, slots=True)
class Figures:
    """What a year came to. `rounds` has (filed, recognised) by name, the city's round included.

    `notices` counts occasions of a person to be told, each a notice in the inbox. `mails` counts e-mails sent of them:
    one for each, but one a reviewer and round for all that is assigned.
    """

    rounds: dict[str, tuple[int, int]]
    certificates: int
    individuals: int
    collectives: int
    total_vnd: int
    notices: int
    mails: int


CITY_ROUND = "Cấp Thành phố"


def reported(outcome: dict[str, Any]) -> Figures:
    """As `sangkien demo --json` states them."""
    rounds = {each["name"]: (each["filed"], each["recognised"]) for each in outcome["rounds"]}
    if outcome["city"]["filed"]:
        rounds[CITY_ROUND] = (outcome["city"]["filed"], outcome["city"]["recognised"])
    reward, channels = outcome["reward"], outcome["notices"]["by_channel"]
    assert outcome["notices"]["sent"] == sum(channels.values())  # noqa: S101 (a helper of tests)
    return Figures(
        rounds,
        outcome["certificates"],
        reward["individuals"],
        reward["collectives"],
        reward["total_vnd"],
        channels["inbox"],
        channels["email"],
    )


def stored(documents: Documents) -> Figures:
    """As intake, recognition, reward and notification hold them, each what it owns."""
    names = {each["_id"]: each["name"] for each in documents("intake", "rounds")}
    filed = Counter(names[each["round_id"]] for each in documents("intake", "dossiers"))
    recognised = Counter(names[each["round_id"]] for each in documents("recognition", "initiatives"))
    holders = Counter(each["holder"] for each in documents("reward", "entitlements"))
    ledger = documents("reward", "ledger")
    assert {each["kind"] for each in ledger} == {"owed"}  # noqa: S101 (nothing is paid in a demo)
    mails = Counter(each["state"] for each in documents("notification", "mails"))
    # What is assigned after a digest has left is held for the next day: seen where a service was dead in between.
    assert mails.keys() <= {"sent", "held"}  # noqa: S101 (a helper of tests)
    assert mailed(documents) == sorted(each["_id"] for each in documents("notification", "notices"))  # noqa: S101
    return Figures(
        {name: (filed[name], recognised[name]) for name in names.values()},
        len(documents("recognition", "certificates")),
        holders["individual"],
        holders["collective"],
        sum(each["amount_vnd"] for each in ledger),
        len(documents("notification", "notices")),
        mails["sent"],
    )


def said(messages: Iterable[Said]) -> Figures:
    """As the events state them, an event offered more than once counting once."""
    bodies: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in {each.id: each for each in messages if each.subject.startswith("ev.")}.values():
        bodies[event.subject].append(json.loads(event.body))
    submitted = bodies["ev.intake.dossier.submitted.v1"]
    initiatives = bodies["ev.recognition.initiative.recognised.v1"]
    granted = bodies["ev.reward.entitlement.granted.v1"]
    certificates = bodies["ev.recognition.certificate.issued.v1"]
    filed = Counter(each["round_id"] for each in submitted)
    recognised = Counter(each["round_id"] for each in initiatives)
    holders = Counter(each["holder"] for each in granted)
    told = [
        *({author["person_id"] for author in each["authors"]} | {each["filed_by"]} for each in submitted),
        *(each["author_ids"] for each in bodies["ev.review.dossier.accepted.v1"]),
        *(each["author_ids"] for each in bodies["ev.recognition.initiative.refused.v1"]),
    ]
    singly = sum(map(len, told)) + len(certificates) + len(granted)
    assigned = [
        (each["round_id"], who) for each in bodies["ev.review.dossier.assigned.v1"] for who in each["reviewer_ids"]
    ]
    return Figures(
        {
            each["name"]: (filed[each["round_id"]], recognised[each["round_id"]])
            for each in bodies["ev.review.round.opened.v1"]
        },
        len(certificates),
        holders["individual"],
        holders["collective"],
        sum(each["amount_vnd"] for each in granted),
        singly + len(assigned),
        singly + len(set(assigned)),
    )


def mailed(documents: Documents) -> list[str]:
    """Every notice that a mail tells of, once for each mail that does: sorted ids, as the inbox has them."""
    mails = {each["_id"] for each in documents("notification", "mails")}
    lines = documents("notification", "digest_lines")
    assert {each["digest_id"] for each in lines} == {id for id in mails if id.endswith(".digest")}  # noqa: S101
    singly = [id.removesuffix(".email") + ".inbox" for id in mails if id.endswith(".email")]
    return sorted([*singly, *(each["_id"] for each in lines)])


def dossiers(documents: Documents) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Every dossier as people know it: round, title, unit, names of the authors. Sorted; the same in every run."""
    names = {each["_id"]: each["full_name"] for each in documents("directory", "people")}
    rounds = {each["_id"]: each["name"] for each in documents("intake", "rounds")}
    versions = documents("intake", "dossier_versions")
    return sorted(
        (
            rounds[each["round_id"]],
            each["title"],
            each["unit_name"],
            tuple(names[author["person_id"]] for author in each["authors"]),
        )
        for each in versions
    )


def done_twice(documents: Documents) -> dict[str, list[Any]]:
    """What exists more often than it may, by what it is; and rows that never left. Empty when all is well."""
    read = documents
    candidates = {
        "person": [each["identity"] for each in read("directory", "people")],
        "organisation": [(each["parent_id"], each["name"]) for each in read("directory", "organisations")],
        "round": [(each["council_id"], each["name"]) for each in read("review", "rounds")],
        "dossier": [(each["round_id"], each["fingerprint"]) for each in read("intake", "dossiers")],
        "session": [each["round_id"] for each in read("review", "sessions")],
        "minutes": [(each["council_id"], each["year"], each["number"]) for each in read("review", "minutes")],
        "decision": [each["round_id"] for each in read("recognition", "decisions")],
        "decision number": _numbers(read("recognition", "decisions")),
        "initiative": [each["dossier_id"] for each in read("recognition", "initiatives")],
        "certificate": [(each["initiative_id"], each["person_id"]) for each in read("recognition", "certificates")],
        "certificate number": [each["number"] for each in read("recognition", "certificates")],
        "reward decision": [each["issuer_id"] for each in read("reward", "decisions")],
        "entitlement": [(each["decision_id"], each["holder_id"]) for each in read("reward", "entitlements")],
        "debt": [each["entitlement_id"] for each in read("reward", "ledger")],
        "mail": [_occasion(each) for each in read("notification", "mails") if each["state"] != "held"],
        "told by mail": mailed(read),
        "notice": [_occasion(each) for each in read("notification", "notices")],
    }
    found: dict[str, list[Any]] = {
        what: [key for key, count in Counter(keys).items() if count > 1] for what, keys in candidates.items()
    }
    found |= {f"outbox of {service}": read(service, "outbox") for service in SERVICES}
    return {what: keys for what, keys in found.items() if keys}


def gaps(documents: Documents) -> list[int]:
    """Numbers that a register of recognition decisions skipped, of those after the number it was opened at."""
    missing: list[int] = []
    for register in documents("recognition", "registers"):
        taken = {
            each["number"]
            for each in documents("recognition", "decisions")
            if each["issuer_id"] == register["issuer_id"] and each["suffix"] == register["suffix"]
        }
        missing += sorted(set(range(register["opened_at"] + 1, register["last_number"] + 1)) - taken)
    return missing


def _numbers(decisions: Sequence[dict[str, Any]]) -> list[Any]:
    return [(each["issuer_id"], each["suffix"], each["number"]) for each in decisions]


def _occasion(notice: dict[str, Any]) -> tuple[str, str, str]:
    return notice["recipient_id"], notice["kind"], notice["about_id"]
