"""A district's year, from spreadsheets to the last notice: counted from stores and streams, never from the report."""

import json
from collections import Counter
from email import message_from_bytes
from pathlib import Path

from sangkien.testkit.command import Demo, Played
from sangkien.testkit.figures import CITY_ROUND, Figures, done_twice, gaps, reported, said, stored
from sangkien.testkit.holdings import Said, kept_messages, mongo_documents, sqlite_documents

BA_DINH = {"Đợt 1": (222, 155), "Đợt 2": (45, 43), CITY_ROUND: (21, 7)}
TAY_HO_VND = 4 * 710_000 + 3 * 1_410_000
"""0.3 and 0.6 of the base salary of 2,340,000 đ since 2024-07-01 (NĐ 73/2024), rounded up to 10,000 đ (NĐ 98/2023)."""
TAY_HO = {"Đợt mùa xuân": (23, 9), "Đợt mùa hè": (7, 0), "Đợt mùa thu": (5, 5), CITY_ROUND: (6, 2)}


def authors_of_recognised(folder: Path) -> Counter[tuple[str, str]]:
    """(dossier, author) of the district's recognised initiatives, as intake knows the authors."""
    read = sqlite_documents(folder)
    authors = {each["_id"]: each["author_ids"] for each in read("intake", "dossiers")}
    recognised = [each for each in read("recognition", "initiatives") if each["tier"] == "district"]
    return Counter((each["dossier_id"], author) for each in recognised for author in authors[each["dossier_id"]])


def test_year_has_the_figures_of_the_districts_own_report(year: Played) -> None:
    outcome = year.outcome

    assert outcome["totals"] == {"filed": 267, "recognised": 198}
    assert outcome["city"] == {"filed": 21, "recognised": 7}
    assert (outcome["reward"]["collectives_vnd"], outcome["reward"]["individuals_vnd"]) == (
        43 * 1_080_000,
        53 * 540_000,
    )
    assert (outcome["dead_letters"], outcome["restarts"]) == (0, 0)
    assert {state: outcome["notices"][state] for state in ("queued", "failed", "no_address")} == {
        "queued": 0,
        "failed": 0,
        "no_address": 0,
    }


def test_evidence_named_by_dossiers_is_what_lies_beside_the_store_and_was_read_back(year: Played) -> None:
    versions = sqlite_documents(year.folder)("intake", "dossier_versions")
    named = {sha256: size for version in versions for sha256, size, _ in version.get("files", [])}
    held = {path.name: path.stat().st_size for path in (year.folder / "stores" / "intake.files").glob("??/*")}

    assert held == named
    assert year.outcome["evidence"] == {"files": 2 * 3 * 2, "bytes": sum(named.values())}


def test_report_stores_and_streams_agree_on_every_figure(year: Played, events: list[Said]) -> None:
    found = stored(sqlite_documents(year.folder))
    certificates = authors_of_recognised(year.folder).total()

    assert found == Figures(BA_DINH, certificates, 53, 43, 75_060_000, found.notices, found.mails)
    assert (reported(year.outcome), said(events)) == (found, found)


def test_every_author_of_a_recognised_initiative_has_one_certificate(year: Played) -> None:
    certificates = sqlite_documents(year.folder)("recognition", "certificates")

    assert Counter((each["dossier_id"], each["person_id"]) for each in certificates) == authors_of_recognised(
        year.folder
    )


def test_council_recognised_what_two_thirds_of_all_members_voted_for(year: Played) -> None:
    read = sqlite_documents(year.folder)
    members = {each["_id"]: len(each["members"]) for each in read("review", "sessions")}
    yes = Counter(each["dossier_id"] for each in read("review", "ballots") if each["choice"] == "yes")
    session_of = {each["dossier_id"]: each["session_id"] for each in read("review", "ballots")}

    majority = {dossier for dossier, session in session_of.items() if 3 * yes[dossier] >= 2 * members[session]}
    assert len(session_of) == 288
    assert {each["dossier_id"] for each in read("recognition", "initiatives")} == majority


def test_year_did_nothing_twice_and_skipped_no_number(year: Played, events: list[Said]) -> None:
    read = sqlite_documents(year.folder)

    assert (done_twice(read), gaps(read)) == ({}, [])
    assert [id for id, count in Counter(each.id for each in events).items() if count > 1] == []
    assert [each.subject for each in events if not each.subject.startswith("ev.")] == []


def test_every_event_in_an_outbox_is_on_a_stream_and_the_other_way_round(year: Played, events: list[Said]) -> None:
    read = sqlite_documents(year.folder)
    published = {
        each["_id"]: json.loads(each["body"])
        for service in ("directory", "intake", "review", "recognition", "reward")
        for each in read(service, "outbox_sent")
    }

    assert {each.id: json.loads(each.body) for each in events} == published


def test_every_mail_reached_the_mail_server_once(year: Played) -> None:
    received = Counter(
        str(message_from_bytes(path.read_bytes())["Message-ID"]).strip("<>").rpartition("@")[0]
        for path in (year.folder / "mail").iterdir()
    )

    assert received == Counter(each["_id"] for each in sqlite_documents(year.folder)("notification", "mails"))


def test_reviewers_were_told_of_each_dossier_in_the_inbox_and_by_one_mail_a_round(year: Played) -> None:
    read = sqlite_documents(year.folder)
    notices, mails = (Counter(each["kind"] for each in read("notification", name)) for name in ("notices", "mails"))

    assert (notices["reviewer_assigned"], mails["reviewer_assigned"]) == (2 * 288, 0)
    assert (notices["review_digest"], mails["review_digest"]) == (0, 3 * 9)


async def test_another_year_and_seed_come_out_as_their_scenario_says(other_year: Path, tmp_path: Path) -> None:
    with Demo(tmp_path / "node", str(other_year), "--seed", "7", "--one-process") as demo:
        played = await demo.played()

    found = stored(sqlite_documents(played.folder))
    certificates = authors_of_recognised(played.folder).total()
    assert found == Figures(TAY_HO, certificates, 4, 3, TAY_HO_VND, found.notices, found.mails)
    assert (reported(played.outcome), said(await kept_messages(played.folder, tmp_path / "broker"))) == (found, found)


async def test_mongodb_holds_the_same_year(other_year: Path, tmp_path: Path, mongo_uri: str) -> None:
    with Demo(tmp_path / "node", str(other_year), "--mongo", mongo_uri) as demo:
        played = await demo.played()

    read = mongo_documents(mongo_uri, played.folder)
    found = stored(read)
    assert found == Figures(TAY_HO, found.certificates, 4, 3, TAY_HO_VND, found.notices, found.mails)
    assert (reported(played.outcome), said(await kept_messages(played.folder, tmp_path / "broker"))) == (found, found)
    assert (done_twice(read), gaps(read), played.outcome["dead_letters"]) == ({}, [], 0)
    assert list((played.folder / "stores").iterdir()) == []
