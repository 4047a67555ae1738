"""Names, birth dates, addresses and secrets stay where they belong: in directory and intake, on documents, in mails."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sangkien.testkit.command import Played
from sangkien.testkit.holdings import Said, sqlite_documents
from sangkien.text import fold


@pytest.fixture(scope="module")
def planted(year: Played) -> set[str]:
    """Every name, birth date and address of the year's people, in each way it may be written."""
    found: set[str] = set()
    for person in sqlite_documents(year.folder)("directory", "people"):
        born = person["birth_date"]
        found |= {person["full_name"], fold(person["full_name"]), person["email"], born}
        found.add("/".join(reversed(born.split("-"))))
    return found


@pytest.fixture(scope="module")
def secrets(year: Played) -> set[str]:
    """Passwords, the node's secret, the broker's password, the signing key's private half."""
    read = {name: json.loads((year.folder / name).read_text()) for name in ("node.json", "accounts.json")}
    key = json.loads((year.folder / "keys" / "signing.jwk").read_text())
    identity = read["node.json"]
    passwords = {account["password"] for account in read["accounts.json"]}
    return passwords | {identity["node_secret"], identity["broker_password"], key["d"]}


def words_in(text: str, words: set[str]) -> list[str]:
    return sorted(word for word in words if word in text)


def logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(errors="replace") for path in sorted((folder / "logs").glob("*.log*"))}


def spans(folder: Path) -> dict[str, str]:
    """All that each span store holds, as text."""
    found = {}
    for path in sorted((folder / "spans").glob("*.db")):
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
            aggregates = [name for (name,) in store.execute("SELECT aggregate FROM mentions")]
            bodies = [msgspec.msgpack.decode(body) for (body,) in store.execute("SELECT body FROM chunks")]
        found[path.stem] = "\n".join([*aggregates, *(json.dumps(body, ensure_ascii=False) for body in bodies)])
    return found


def collections_of(folder: Path, service: str) -> dict[str, str]:
    """All that each collection of a service holds, as text."""
    path = folder / "stores" / f"{service}.db"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as store:
        names = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: "\n".join(body for (body,) in store.execute(f'SELECT body FROM "{name}"'))  # noqa: S608
            for name in names
        }


def test_directory_and_mails_hold_what_the_scans_look_for(year: Played, planted: set[str]) -> None:
    people = collections_of(year.folder, "directory")["people"]
    mails = "\n".join(path.read_text(errors="replace") for path in (year.folder / "mail").iterdir())

    assert len(words_in(people, planted)) > 1_000
    assert words_in(mails, {"nguoi-1@don-vi.example"}) == ["nguoi-1@don-vi.example"]


def test_logs_hold_no_personal_data_and_no_secret(year: Played, planted: set[str], secrets: set[str]) -> None:
    found = logs(year.folder)

    assert len(found) == 8
    assert {name: words for name, text in found.items() if (words := words_in(text, planted | secrets))} == {}
    assert {name: tokens for name, text in found.items() if (tokens := re.findall(r"eyJ[\w-]+\.eyJ", text))} == {}


def test_traces_hold_no_personal_data_and_no_secret(year: Played, planted: set[str], secrets: set[str]) -> None:
    found = spans(year.folder)

    assert min(map(len, found.values())) > 1_000
    assert {name: words for name, text in found.items() if (words := words_in(text, planted | secrets))} == {}


def test_events_hold_no_personal_data_and_no_secret(events: list[Said], planted: set[str], secrets: set[str]) -> None:
    bodies = "\n".join(each.body.decode() + json.dumps(each.headers, ensure_ascii=False) for each in events)

    assert words_in(bodies, planted | secrets) == []


@pytest.mark.parametrize(
    ("service", "documents"),
    [("review", set()), ("reporting", set()), ("reward", {"decisions", "recipient_chunks"})],
)
def test_only_issued_documents_keep_names_outside_directory_and_intake(
    service: str, documents: set[str], year: Played, planted: set[str]
) -> None:
    names = {each["full_name"] for each in sqlite_documents(year.folder)("directory", "people")}
    found = {name: set(words_in(text, planted)) for name, text in collections_of(year.folder, service).items()}

    assert {name for name, words in found.items() if words} == set(documents)
    assert {word for words in found.values() for word in words} - names == set()
