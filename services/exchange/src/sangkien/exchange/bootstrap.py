"""The composition root of exchange."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import structlog

from sangkien.api.exchange.v1.exchange_pb2_grpc import add_ExchangeServiceServicer_to_server
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.exchange.adapters.book import StoredBook
from sangkien.exchange.adapters.crossings import ContractCrossings
from sangkien.exchange.adapters.documents import OUTGOING, SCHEMA
from sangkien.exchange.adapters.foreign_books import FOREIGN_SCHEMA, StoredBooks
from sangkien.exchange.adapters.intake_desk import IntakeDesk
from sangkien.exchange.adapters.intake_letters import IntakeLetters
from sangkien.exchange.adapters.leaf import LinkLeaf
from sangkien.exchange.adapters.stored import StoredIncomings, StoredLedger, StoredOutgoings, StoredSteps
from sangkien.exchange.application.adopt_history import AdoptHistory
from sangkien.exchange.application.follow_receipts import FollowReceipts
from sangkien.exchange.application.link_ports import Notes
from sangkien.exchange.application.live_in_federation import LiveInFederation
from sangkien.exchange.application.offer_messages import OfferMessages
from sangkien.exchange.application.ports import Outward
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.application.prune_bodies import PruneBodies
from sangkien.exchange.application.queries import Queries
from sangkien.exchange.application.read_arrivals import ReadArrivals
from sangkien.exchange.application.receive_messages import ReceiveMessages
from sangkien.exchange.application.seal_messages import SealMessages
from sangkien.exchange.application.take_messages import TakeMessages
from sangkien.exchange.application.tell_hub import TellHub
from sangkien.exchange.application.tidy_leaf import TidyLeaf
from sangkien.exchange.domain.patience import Patience
from sangkien.exchange.entrypoints.announcing import AnnounceToNewcomers
from sangkien.exchange.entrypoints.gauges import Gauges
from sangkien.exchange.entrypoints.grpc_service import POLICY, ExchangeServicer, UseCases
from sangkien.exchange.entrypoints.inward import Business
from sangkien.exchange.entrypoints.loops import LinkLoops, Upkeep
from sangkien.exchange.entrypoints.messages import OutwardHandler
from sangkien.exchange.entrypoints.outward import FromIntake, FromRecognition, FromReview
from sangkien.exchange.entrypoints.returning import ReturnToAuthors, one_after_the_other
from sangkien.exchange.settings import ExchangeSettings
from sangkien.federation import LeafBroker, MemberFolder
from sangkien.messaging import Subscription
from sangkien.messaging.failures import is_transient
from sangkien.store import Op


def build(context: Context) -> Parts:
    settings = cast("ExchangeSettings", context.settings)
    folder = MemberFolder(settings.folder)
    link, key, hub_key = folder.link, folder.seal_key, folder.hub_key
    store, steady, patience = context.store, time.monotonic, Patience()
    notes: Notes = structlog.get_logger("sangkien.exchange")
    outgoings, incomings, ledger = StoredOutgoings(store), StoredIncomings(store), StoredLedger(store)
    crossings, steps = ContractCrossings(), StoredSteps(store, context.new_id)
    leaf = LinkLeaf(LeafBroker(folder.login_at(settings.leaf_url), link.node))

    async def commit(ops: Sequence[Op]) -> None:
        await context.commit(ops)
        if any(op.coll == OUTGOING for op in ops):
            loops.wake()

    book = StoredBook(store, commit, link, key.public, settings.folder)
    post = PostMessages(outgoings, ledger, context)
    business = Business(books := StoredBooks(store), _desk(context, settings), steps, book, context)
    life = LiveInFederation(outgoings, ledger, crossings, post, context, commit, steady, notes, epoch=link.epoch)
    adopting = AdoptHistory(outgoings, ledger, book, context, commit, notes, seal_key=key.public)
    receiving = ReceiveMessages(
        incomings,
        ledger,
        book,
        crossings,
        context,
        commit,
        steady,
        notes,
        hub_key=hub_key,
        gap_patience_s=settings.gap_patience_s,
    )
    receipts = FollowReceipts(
        outgoings, ledger, context, commit, patience, steady, notes, node=link.node, hub_key=hub_key
    )
    taking = TakeMessages(
        incomings, book, crossings, business, post, context, commit, is_transient, notes, context.telemetry
    )
    loops = LinkLoops(
        leaf,
        SealMessages(outgoings, ledger, context, commit, node=link.node, key=key),
        OfferMessages(outgoings, ledger, leaf, context, commit, patience, steady, notes),
        ReadArrivals(leaf, receipts, adopting, receiving, notes),
        TellHub(ledger, leaf, receiving, adopting, context, steady, node=link.node, key=key),
        taking,
        life,
        Upkeep(
            PruneBodies(outgoings, incomings, context, commit, keep=timedelta(days=settings.keep_bodies_days)),
            TidyLeaf(outgoings, ledger, leaf),
        ),
        one_after_the_other(
            AnnounceToNewcomers(books, book, context, post, commit),
            ReturnToAuthors(books, steps, book, context, commit),
        ),
    )
    queries = Queries(outgoings, incomings, ledger, book, steps, leaf, context)
    gauges = Gauges(context.metrics, queries, context, lambda: folder.certificate_until)
    use_cases = UseCases(queries, life, taking, book, key.public, lambda: folder.certificate_until)
    return Parts(
        servicers=[(add_ExchangeServiceServicer_to_server, ExchangeServicer(use_cases))],
        policy=POLICY,
        subscriptions=_subscriptions(context, settings, books, steps, book, post),
        background=[*loops.background, gauges],
        open=[book.load, life.begin],
    )


def _subscriptions(
    context: Context,
    settings: ExchangeSettings,
    books: StoredBooks,
    steps: StoredSteps,
    book: StoredBook,
    post: PostMessages,
) -> list[Subscription]:
    letters = IntakeLetters(
        lambda: context.channel(settings.intake), DirectoryLookup(context.channel(settings.directory))
    )
    outward: dict[str, Outward] = {
        "exchange__intake": FromIntake(books, letters, steps, book),
        "exchange__review": FromReview(books, steps, book),
        "exchange__recognition": FromRecognition(books, steps, book),
    }
    return [Subscription(TOPOLOGY.consumer(name), OutwardHandler(one, post)) for name, one in outward.items()]


def _desk(context: Context, settings: ExchangeSettings) -> IntakeDesk:
    return IntakeDesk(lambda: context.channel(settings.intake))


SERVICE = Definition("exchange", ExchangeSettings, SCHEMA + FOREIGN_SCHEMA, build)
