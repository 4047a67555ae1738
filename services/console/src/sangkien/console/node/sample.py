"""What a new node on one machine begins with: a sample district, its units, a council and an open round.

So that `sangkien up` and `sangkien import` work on an empty folder. A node that knows any organisation is left alone.
"""

from datetime import date

from sangkien.api.directory.v1 import directory_pb2 as pb
from sangkien.api.directory.v1 import directory_pb2_grpc
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.console.demo.actors import Registrar
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.council import Panel
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.node import accounts
from sangkien.console.node.folder import NodeFolderError
from sangkien.console.node.local import LocalNode
from sangkien.console.patience import patiently
from sangkien.rpc import RenewedToken, TokenSource

_MEMBERS = 7
_OPENS, _CLOSES = date(2023, 1, 1), date(2030, 12, 31)


async def settle(node: LocalNode) -> bool:
    """Put the sample in when directory knows no organisation. Says whether it did.

    A node of a profile is an organisation's own: nothing made up belongs there.
    """
    if node.folder.chosen().profile:
        return False
    directory = directory_pb2_grpc.DirectoryServiceStub(node.channel("directory", node.operator()))
    known = await patiently(directory.ListOrganisations, pb.ListOrganisationsRequest(page_size=1))
    if known.organisations:
        return False
    scenario = load_scenario("ba-dinh-2023")
    casting = Casting(scenario, seed=0)
    registrar = Registrar(node)
    _, district = await registrar.top(scenario)
    await registrar.below(district, casting.cast().units)
    await registrar.actor(casting.person("Cán bộ công đoàn"), district, ["union_officer"])
    secretary = await registrar.actor(casting.person("Thư ký hội đồng"), district, ["secretary"])
    leader = await registrar.actor(casting.person("Chủ tịch"), district, ["leader"])
    await registrar.actor(casting.person("Kế toán"), district, ["finance"])
    members = [await registrar.actor(casting.person("Ủy viên"), district, ["council_member"]) for _ in range(_MEMBERS)]
    panel = Panel(scenario.council, "district", district, secretary, leader, tuple(members))
    review = review_pb2_grpc.ReviewServiceStub(node.channel("review", secretary.token))
    council = await patiently(
        review.CreateCouncil,
        rev.CreateCouncilRequest(
            idempotency_key="sample:council",
            name=panel.name,
            tier=panel.tier,
            owner_id=district,
            established_by=scenario.set_up_by,
            established_on=_OPENS.isoformat(),
            members=panel.listed(),
            sheet="vn/ha-noi",
        ),
    )
    await patiently(
        review.OpenRound,
        rev.OpenRoundRequest(
            idempotency_key="sample:round",
            council_id=council.council_id,
            name="Thường xuyên",
            opens_on=_OPENS.isoformat(),
            closes_on=_CLOSES.isoformat(),
        ),
    )
    accounts.save(node.folder, registrar.accounts)
    return True


def signed_in(node: LocalNode, role: str) -> TokenSource:
    """Tokens of the account made on this machine for a role. Raises NodeFolderError when there is none."""
    account = accounts.load(node.folder).get(role)
    if account is None:
        raise NodeFolderError(
            f"{node.folder.path}/accounts.json: không có tài khoản {role}; chạy `sangkien up` trên thư mục trống hoặc"
            f" thêm vào · no account for {role}: run `sangkien up` on an empty folder, which makes some, or add one"
        )
    directory = directory_pb2_grpc.DirectoryServiceStub(node.channel("directory"))

    async def sign_in() -> str:
        request = pb.SignInRequest(login=account.login, password=account.password)
        return str((await patiently(directory.SignIn, request)).token)

    return RenewedToken(sign_in)
