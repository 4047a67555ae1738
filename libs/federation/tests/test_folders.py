"""Keys on disk: whole or not at all, and for their owner's eyes only."""

from pathlib import Path

import pytest

from sangkien.federation import FolderRefused, HubFolder, MemberFolder, NewKeys
from sangkien.federation.accounts import NKey, leaf_user_jwt
from sangkien.federation.names import Names
from sangkien.runtime import utc_now

KEYS = ("operator.nk", "system.nk", "authority.pem", "seal.key")


@pytest.fixture
def hub(tmp_path: Path) -> HubFolder:
    return HubFolder.create(tmp_path / "hub", name="Thành phố", hosts=["hub.example.vn"])


@pytest.fixture
def member(tmp_path: Path) -> MemberFolder:
    return MemberFolder(tmp_path / "member")


def answered(hub: HubFolder, keys: NewKeys, node: str = "a") -> dict[str, str]:
    """What a hub answers to a member with these keys."""
    return {
        "certificate_pem": hub.authority.sign_csr(keys.csr_pem, node, utc_now()),
        "user_jwt": leaf_user_jwt(NKey.create("account"), keys.user_public, Names(node), utc_now()),
    }


def install(member: MemberFolder, hub: HubFolder, answer: dict[str, str], *, epoch: int = 1) -> None:
    member.install(
        **answer,
        authority_pem=hub.authority.certificate_pem,
        leaf_url="tls://hub.example.vn:7422",
        hub_key=hub.seal_key.public,
        node="a",
        epoch=epoch,
        profile="ward",
        name="Phường A",
    )


def modes(path: Path) -> set[tuple[str, str]]:
    found = [*path.rglob("*"), path]
    return {
        ("folder" if each.is_dir() else "file", oct(each.lstat().st_mode & 0o777))
        for each in found
        if not each.is_symlink()
    }


def test_everything_kept_is_for_its_owner_only(hub: HubFolder, member: MemberFolder) -> None:
    hub.config(4222, "127.0.0.1", 7422)
    hub.keep_keys("a", hub.with_user("a", NKey.create("user").public))
    install(member, hub, answered(hub, member.make_keys("a")))
    member.config(4223)
    member.make_keys("a")

    assert modes(hub.path) == {("folder", "0o700"), ("file", "0o600")}
    assert modes(member.path) == {("folder", "0o700"), ("file", "0o600")}


def test_hub_folder_made_twice_is_the_same_one(hub: HubFolder) -> None:
    kept = {each.name: each.read_bytes() for each in hub.path.iterdir() if each.is_file()}

    again = HubFolder.create(hub.path, name="Thành phố", hosts=["hub.example.vn"])

    assert {each.name: each.read_bytes() for each in hub.path.iterdir() if each.is_file()} == kept
    assert again.seal_key.public == hub.seal_key.public


@pytest.mark.parametrize("made", range(len(KEYS)))
def test_half_made_hub_folder_is_finished_with_the_keys_it_has(hub: HubFolder, made: int) -> None:
    for each in (*KEYS[made:], "hub.json", "server.crt"):
        (hub.path / each).unlink()
    (hub.path / "nodes").rmdir()
    kept = {each: (hub.path / each).read_bytes() for each in KEYS[:made]}
    with pytest.raises(FolderRefused, match="folder_incomplete"):
        HubFolder(hub.path)

    again = HubFolder.create(hub.path, name="Thành phố", hosts=["hub.example.vn"])

    assert {each: (hub.path / each).read_bytes() for each in KEYS[:made]} == kept
    assert again.server_certificate_fits(utc_now())


@pytest.mark.parametrize("lost", KEYS)
def test_hub_folder_that_lost_a_key_is_refused_and_never_given_another(hub: HubFolder, lost: str) -> None:
    (hub.path / lost).unlink()

    with pytest.raises(FolderRefused, match="folder_incomplete"):
        HubFolder(hub.path)
    with pytest.raises(FolderRefused, match="folder_incomplete"):
        HubFolder.create(hub.path, name="X", hosts=["hub.example.vn"])
    assert not (hub.path / lost).exists()


@pytest.mark.parametrize("key", KEYS)
def test_hub_folder_open_to_others_is_refused(hub: HubFolder, key: str) -> None:
    (hub.path / key).chmod(0o640)

    with pytest.raises(FolderRefused, match="folder_open"):
        HubFolder(hub.path)


def test_other_hosts_lead_to_another_server_certificate_only(hub: HubFolder) -> None:
    before, until = hub.server_certificate[0].read_text(), hub.server_certificate_until

    again = HubFolder.create(hub.path, name="Thành phố", hosts=["hub.example.vn", "192.0.2.1"])

    assert again.server_certificate[0].read_text() != before
    assert again.server_certificate_until >= until
    assert again.seal_key.public == hub.seal_key.public


def test_member_keys_are_the_same_until_they_are_used(hub: HubFolder, member: MemberFolder) -> None:
    first = member.make_keys("a")
    again = MemberFolder(member.path).make_keys("a")
    install(member, hub, answered(hub, first))
    next_ones = member.make_keys("a")

    assert (again.user_public, again.seal_public) == (first.user_public, first.seal_public)
    assert member.seal_key.public == first.seal_public
    assert member.rotating
    assert {next_ones.user_public, next_ones.seal_public}.isdisjoint({first.user_public, first.seal_public})


def test_half_made_member_keys_are_made_anew(member: MemberFolder) -> None:
    first = member.make_keys("a")
    (member.path / "keys" / "1" / "made.json").unlink()

    again = member.make_keys("a")

    assert again.user_public != first.user_public
    assert not member.joined
    with pytest.raises(FolderRefused, match="folder_incomplete"):
        _ = member.link


def test_installed_answer_is_in_use_and_the_same_again_changes_nothing(hub: HubFolder, member: MemberFolder) -> None:
    keys = member.make_keys("a")
    answer = answered(hub, keys)

    install(member, hub, answer)
    install(member, hub, answer)

    link = member.link
    assert (link.node, link.epoch, link.profile, link.name) == ("a", 1, "ward", "Phường A")
    assert member.hub_key == hub.seal_key.public
    assert (member.path / "keys" / "current").readlink() == Path("1")
    assert not member.rotating


def test_answer_for_other_keys_is_refused_and_changes_nothing(hub: HubFolder, member: MemberFolder) -> None:
    stranger = MemberFolder(member.path.with_name("stranger")).make_keys("a")
    keys = member.make_keys("a")
    right, wrong = answered(hub, keys), answered(hub, stranger)
    other_name = right | {"user_jwt": "x.y.z"}

    for answer in (wrong, right | {"user_jwt": wrong["user_jwt"]}, other_name):
        with pytest.raises(FolderRefused, match="folder_foreign"):
            install(member, hub, answer)
    assert not member.joined
    install(member, hub, right)
    assert member.joined


def test_rotation_uses_the_new_keys_only_once_activated_and_keeps_the_old(hub: HubFolder, member: MemberFolder) -> None:
    first = member.make_keys("a")
    install(member, hub, answered(hub, first))
    second = member.make_keys("a")
    with pytest.raises(FolderRefused, match="folder_incomplete"):
        member.activate()

    member.prepare(**answered(hub, second))
    before = member.seal_key.public
    member.activate()

    assert (before, member.seal_key.public) == (first.seal_public, second.seal_public)
    assert [key.public for key in member.former_seal_keys] == [first.seal_public]
    assert member.link.node == "a"
