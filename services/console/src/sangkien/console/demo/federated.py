"""`sangkien demo --nodes`: the union, the district and the city each on a node of its own, and a link that fails."""

import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from operator import not_
from pathlib import Path
from typing import Any

from rich.console import Console

from sangkien.api.exchange.v1 import exchange_pb2
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1 import hub_pb2
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub
from sangkien.api.ops.v1 import ops_pb2
from sangkien.api.reporting.v1 import reporting_pb2 as rep
from sangkien.console.demo.mailbox import mailbox
from sangkien.console.demo.outage import CutLink, Outage
from sangkien.console.demo.outcome import Outcome, Reader
from sangkien.console.demo.places import Place, Places
from sangkien.console.demo.scenario import Scenario
from sangkien.console.demo.telling import Bars
from sangkien.console.demo.year import Story, Year
from sangkien.console.node.auditing import Checked, audit
from sangkien.console.node.bundle import parse_bundle
from sangkien.console.node.folder import Chosen, NodeFolder
from sangkien.console.node.joining import join
from sangkien.console.node.local import LocalNode, local_node
from sangkien.console.node.plan import Options
from sangkien.console.node.profiles import PROFILES
from sangkien.console.operations import Operations
from sangkien.console.patience import patiently, until
from sangkien.federation import MemberFolder
from sangkien.federation.wire import Wire

CITY = "ha-noi"
_START = "Khởi động ba nút · Starting three nodes"
_REST = "Chờ thông báo cuối cùng · Waiting for the last notice"
_AUDIT = "Kiểm tra chuỗi lưu ký · Verifying custody"


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One node of the demo: its id, profile and the processes it ran as."""

    id: str
    profile: str
    pids: dict[str, int]


@dataclass(frozen=True, slots=True)
class FilesHeld:
    """Evidence of another node's dossiers that a node has whole."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FederatedTold:
    """A finished demo on three nodes."""

    outcome: Outcome
    story: Story
    nodes: tuple[NodeSeen, ...]
    outage: Outage
    audits: tuple[Checked, ...]
    reported: rep.NodeSummary
    spans: list[ops_pb2.Span]
    files: FilesHeld

    def as_json(self) -> dict[str, Any]:
        """What the demo on one node prints, and what three of them add to it."""
        return self.outcome.as_json() | {
            "nodes": [{"id": node.id, "profile": node.profile, "pids": node.pids} for node in self.nodes],
            "link": self.outage.as_json(),
            "files": {
                "sent": self.outcome.evidence_files,
                "held": self.files.count,
                "bytes": self.files.bytes,
            },
            "reported": {name: getattr(self.reported, name) for name in ("decisions", "recognised", "refused")},
            "audit": {
                "ok": all(each.broken is None for each in self.audits),
                "checked": [each.as_json() for each in self.audits],
            },
        }


class ThreeNodes:
    """City, district and union on this machine, started one after the other as each is invited and joins."""

    def __init__(
        self, path: Path, scenario: Scenario, stack: AsyncExitStack, *, options: Options, note: Callable[[str], None]
    ) -> None:
        self._path = path
        self._stack = stack
        self._options = options
        self._note = note
        self._scenario = scenario
        self.restarts: list[str] = []
        self.wire: Wire
        self.city: LocalNode
        self.district: LocalNode
        self.union: LocalNode

    @property
    def all(self) -> tuple[LocalNode, ...]:
        return (self.union, self.district, self.city)

    async def start(self, said: Callable[[str, int, int], None]) -> None:
        """Start the city with the hub, invite and join the others, and prove each way with a signed echo."""
        said(_START, 0, 3)
        district, union = self._scenario.slug, f"ldld-{self._scenario.slug}"
        profile = "ward" if self._scenario.of_ward else "district"
        home = NodeFolder(self._path / CITY)
        home.identity(CITY)
        home.choose(Chosen(profile="city", name="Thành phố Hà Nội"))
        self.city = await self._run(home, "city")
        said(_START, 1, 3)
        self.wire = self._stack.enter_context(Wire(int(self.city.running.links["hub_leaf"].rpartition(":")[2])))
        self.district = await self._member(district, self._scenario.district, profile, CITY)
        said(_START, 2, 3)
        union_name = f"Liên đoàn Lao động {self._scenario.district}"
        self.union = await self._member(union, union_name, "union", district, through=self.wire)
        said(_START, 3, 3)

    async def _member(self, node: str, name: str, profile: str, parent: str, through: Wire | None = None) -> LocalNode:
        hub = HubServiceStub(self.city.channel("hub", self.city.operator()))
        invited = await patiently(
            hub.InviteNode, hub_pb2.InviteNodeRequest(node=node, name=name, profile=profile, parent=parent)
        )
        home = NodeFolder(self._path / node)
        await join(home, parse_bundle(invited.bundle, node))
        if through:
            MemberFolder(home.link).reach_hub_at(f"tls://127.0.0.1:{through.port}")
        member = await self._run(home, profile)
        await echo(member)
        return member

    async def _run(self, home: NodeFolder, profile: str) -> LocalNode:
        name = home.identity().node

        def restarted(child: str) -> None:
            self.restarts.append(f"{name}/{child}")
            self._note(f"[yellow]{name}: {child} dừng, đang khởi động lại · stopped, starting it again[/yellow]")

        options = replace(self._options, services=PROFILES[profile].services)
        return await self._stack.enter_async_context(local_node(home, options, on_restart=restarted, always_own=True))


def exchange_of(node: LocalNode) -> "ExchangeServiceStub":
    """The node's end of the link, called by its operator."""
    return ExchangeServiceStub(node.channel("exchange", node.operator()))


async def echo(node: LocalNode) -> None:
    """Send a signed echo to the hub and wait for its receipt, which makes a joining node active."""
    await patiently(exchange_of(node).Echo, exchange_pb2.EchoRequest(wait_s=20))


async def run_federated(scenario: Scenario, *, seed: int, folder: Path, mongo: str, console: Console) -> FederatedTold:
    """Start three nodes in the folder, play the scenario with an outage in it, read the figures, stop the nodes.

    A node's services share a process: twenty of their own would be slow to start on two cores. Raises what `run_demo`
    raises, and Stop where joining fails.
    """
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        bars = stack.enter_context(Bars(console))
        smtp = await stack.enter_async_context(mailbox(folder / "mail"))
        workdir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sangkien-demo-")))
        options = Options(one_process=True, mongo=mongo, smtp=smtp)
        nodes = ThreeNodes(folder, scenario, stack, options=options, note=bars.note)
        await nodes.start(bars.said)
        drill = CutLink(nodes.wire, exchange_of(nodes.union), bars.note)
        places = Places(Place(nodes.union), Place(nodes.district), Place(nodes.city))
        story = await Year(places, scenario, seed=seed, workdir=workdir, said=bars.said, drill=drill).play()
        bars.said(_REST, 0, 1)
        await come_to_rest(nodes)
        bars.said(_REST, 1, 1)
        bars.said(_AUDIT, 0, 1)
        audits = tuple([checked for node in nodes.all for checked in await audit(node)])
        bars.said(_AUDIT, 1, 1)
        outcome = await read(nodes, story, duration_s=time.monotonic() - began)
        reported = await Reader(nodes.city, nodes.city.operator()).reported()
        seen = tuple(
            NodeSeen(node.folder.identity().node, node.folder.chosen().profile, node.supervisor.pids())
            for node in nodes.all
            if node.supervisor
        )
        spans = await spans_of(nodes, story.a_dossier)
        files = await files_held(exchange_of(nodes.district))
    return FederatedTold(outcome, story, seen, drill.outage, audits, reported, spans, files)


async def come_to_rest(nodes: ThreeNodes) -> None:
    """Return when nothing is on its way in any node or between them. Raises WaitedTooLong."""
    seen = 0
    while seen < 2:  # twice in a row: what arrives last may set something off at the node before
        for node in nodes.all:
            exchange = exchange_of(node)
            await until(
                f"what {node.folder.identity().node} sends to be delivered", partial(undelivered, exchange), not_
            )
            await until(f"the files of {node.folder.identity().node}", partial(missing_files, exchange), not_)
            await Reader(node, node.operator()).come_to_rest()
        waiting = sum([await undelivered(exchange_of(node)) for node in nodes.all])
        seen = seen + 1 if not waiting else 0


async def files_held(exchange: "ExchangeServiceStub") -> FilesHeld:
    """What the node has of other nodes' files."""
    peers = (await exchange.ListPeers(exchange_pb2.ListPeersRequest())).peers
    return FilesHeld(sum(peer.files_held for peer in peers), sum(peer.file_bytes for peer in peers))


async def missing_files(exchange: "ExchangeServiceStub") -> int:
    """Files that dossiers of other nodes name and that are not here yet."""
    peers = (await exchange.ListPeers(exchange_pb2.ListPeersRequest())).peers
    return sum(peer.files_missing for peer in peers)


async def undelivered(exchange: "ExchangeServiceStub") -> int:
    """Messages of a node that their receivers do not have yet."""
    peers = (await exchange.ListPeers(exchange_pb2.ListPeersRequest())).peers
    return sum(peer.waiting + peer.undelivered for peer in peers)


async def read(nodes: ThreeNodes, story: Story, *, duration_s: float) -> Outcome:
    """The year's figures: the district's, the city's own round as the city states it, notices of all three."""
    district = Reader(nodes.district, nodes.district.operator())
    city = Reader(nodes.city, nodes.city.operator())
    union = Reader(nodes.union, nodes.union.operator())
    own = await district.read(story, restarts=len(nodes.restarts), duration_s=duration_s)
    notices: dict[str, dict[str, int]] = {}
    for each in (own.notices, await city.notices(), await union.notices()):
        for channel, counts in each.items():
            for state, count in counts.items():
                known = notices.setdefault(channel, {})
                known[state] = known.get(state, 0) + count
    dead = own.dead_letters + await city.dead_letters() + await union.dead_letters()
    return replace(own, city=await city.round(story.city_round), notices=notices, dead_letters=dead)


async def spans_of(nodes: ThreeNodes, dossier_id: str) -> list[ops_pb2.Span]:
    """One dossier's trace, from the node that filed it to the last one that saw it."""
    traces = await Operations(nodes.district).traces_of(dossier_id)
    if not traces:
        return []
    found = [span for node in nodes.all for span in await Operations(node).spans(traces[0])]
    return sorted({span.span_id: span for span in found}.values(), key=lambda span: span.start_ns)
