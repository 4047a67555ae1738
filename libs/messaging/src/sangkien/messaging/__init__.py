"""Events between services on NATS JetStream: one message, one effect (DESIGN §6).

A service hands `Bus` its store and one handler a consumer, and puts `outbox_row` into its units of work. What leaves,
what comes in, what is retried, put aside or offered again is decided here and nowhere else.
"""

from sangkien.messaging.blobs import BlobDamaged, BlobsUnavailable, ObjectBlobs
from sangkien.messaging.bus import Bus, Lag
from sangkien.messaging.dead_letters import DeadLetter, DeadLetterNotFound, DeadLetters, DeadLetterUnroutable
from sangkien.messaging.incoming import Handler, Incoming, Later, Subscription, UnderWay
from sangkien.messaging.outbox import MESSAGING_SCHEMA, EventTooLarge, outbox_row
from sangkien.messaging.provisioning import provision_node
from sangkien.messaging.sweep import Retention
from sangkien.messaging.topology import Difference, ProvisionRefused, diff, provision

__all__ = [
    "MESSAGING_SCHEMA",
    "BlobDamaged",
    "BlobsUnavailable",
    "Bus",
    "DeadLetter",
    "DeadLetterNotFound",
    "DeadLetterUnroutable",
    "DeadLetters",
    "Difference",
    "EventTooLarge",
    "Handler",
    "Incoming",
    "Lag",
    "Later",
    "ObjectBlobs",
    "ProvisionRefused",
    "Retention",
    "Subscription",
    "UnderWay",
    "diff",
    "outbox_row",
    "provision",
    "provision_node",
]
