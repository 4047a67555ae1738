"""The composition root of the hub."""

from datetime import timedelta
from typing import cast

from sangkien.api.hub.v1.hub_pb2_grpc import add_HubServiceServicer_to_server
from sangkien.chassis import Context, Definition, Parts
from sangkien.contracts.crossing import PROFILES, may_send
from sangkien.federation import HubBroker, HubFolder
from sangkien.hub.adapters.crossing import fault_in, registry_word
from sangkien.hub.adapters.documents import SCHEMA
from sangkien.hub.adapters.links import BrokerLinks
from sangkien.hub.adapters.signing import FolderSigner
from sangkien.hub.adapters.stored import StoredShelf
from sangkien.hub.adapters.time_stamps import HttpTimeStamps
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.examine import Examine
from sangkien.hub.application.forward_messages import ForwardMessages
from sangkien.hub.application.give_receipts import GiveReceipts
from sangkien.hub.application.hear_receipts import HearReceipts
from sangkien.hub.application.hold_nodes import HoldNodes
from sangkien.hub.application.intake import Bucket, Queues
from sangkien.hub.application.invite_node import InviteNode
from sangkien.hub.application.join_node import JoinNode
from sangkien.hub.application.queries import Queries, Tally
from sangkien.hub.application.rotate_keys import RotateKeys
from sangkien.hub.application.stamp_entries import StampEntries
from sangkien.hub.application.take_messages import TakeMessages
from sangkien.hub.application.tell_history import TellHistory
from sangkien.hub.entrypoints.background import Centre, Pace, Work
from sangkien.hub.entrypoints.gauges import Gauges
from sangkien.hub.entrypoints.grpc_service import POLICY, HubServicer, JoinServicer, UseCases
from sangkien.hub.entrypoints.join_listener import JoinListener
from sangkien.hub.entrypoints.readers import NodeReaders
from sangkien.hub.settings import HubSettings


def build(context: Context) -> Parts:
    settings = cast("HubSettings", context.settings)
    folder = HubFolder(settings.folder)
    signer, links = FolderSigner(folder), BrokerLinks(HubBroker(settings.broker_url, folder))
    desk = Desk(StoredShelf(context.store), context.commit, context, registry_word, signer.hub_key)
    pace = _pace(settings)
    queues, tally = Queues(), Tally()
    forward, hear = ForwardMessages(desk, links, signer, queues), HearReceipts(desk)
    receipts = GiveReceipts(desk, links, signer, pace.stamp_limit)

    def bucket() -> Bucket:
        return Bucket(settings.rate_per_s, settings.rate_burst, settings.rate_burst, context.now())

    examine = Examine(fault_in, settings.most_body_bytes)
    readers = NodeReaders(desk, links, queues, examine, hear, TellHistory(desk, links), forward, tally, bucket=bucket)
    hold = HoldNodes(desk, links, readers, receipts)
    take = TakeMessages(desk, may_send, settings.most_body_bytes)
    stamps = StampEntries(desk, signer, HttpTimeStamps(settings.tsa_url))
    centre = Centre(desk, links, Work(readers, queues, take, forward, receipts, stamps, hold, tally), pace)
    queries = Queries(desk, links, forward, hear, tally, pace.stamp_limit, pace.stamp_every)
    hub_key = signer.hub_key.public
    invite = InviteNode(desk, signer, PROFILES, settings.join_public)
    joining = JoinServicer(
        JoinNode(desk, links, signer, readers),
        RotateKeys(desk, links, signer),
        authority_pem=signer.authority_pem,
        leaf_url=settings.leaf_public,
        hub_key=hub_key,
    )
    listener = JoinListener(settings.join_listen, joining, folder.server_certificate, settings.node, context.telemetry)
    gauges = Gauges(context.metrics, desk, links, hear, tally, lambda: folder.server_certificate_until)
    return Parts(
        servicers=[(add_HubServiceServicer_to_server, HubServicer(UseCases(invite, hold, queries, hub_key)))],
        policy=POLICY,
        open=[desk.load],
        background=[centre, listener, gauges],
    )


def _pace(settings: HubSettings) -> Pace:
    return Pace(
        stamp_every=timedelta(seconds=settings.stamp_every_s),
        stamp_limit=timedelta(seconds=settings.stamp_limit_s),
        receipt_every=timedelta(seconds=settings.receipt_every_s),
        receipt_again=timedelta(seconds=settings.receipt_again_s),
        first_word=timedelta(seconds=settings.first_word_s),
        leave_after=timedelta(seconds=settings.leave_after_s),
        look=timedelta(seconds=settings.look_every_s),
    )


SERVICE = Definition("hub", HubSettings, SCHEMA, build)
