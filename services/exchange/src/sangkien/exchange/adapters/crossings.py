"""The port `Crossings` on the contracts."""

from datetime import date

from sangkien.contracts.crossing import RIGHTS, Echo, FileChunk, Goodbye, RegistryChanged, may_send
from sangkien.contracts.events import UndecodableEvent
from sangkien.exchange.application.link_ports import Unreadable
from sangkien.exchange.application.ports import KnownNode, Message


class ContractCrossings:
    """Reads and makes messages by their contract."""

    def read(self, message_type: str, body: bytes) -> Message:
        right = RIGHTS.get(message_type)
        if right is None:
            raise Unreadable("type_unknown")
        try:
            return right.model.from_bytes(body)
        except UndecodableEvent:
            raise Unreadable("undecodable") from None

    def allowed(self, message_type: str, sender_profile: str, receiver_profile: str) -> bool:
        # What a later version knows is kept, and fails as unknown: it can be replayed after the upgrade.
        return message_type not in RIGHTS or may_send(message_type, sender_profile, receiver_profile)

    def fleeting(self, message_type: str) -> bool:
        return message_type == FileChunk.TYPE

    def word_on_node(self, message: Message) -> KnownNode | None:
        if not isinstance(message, RegistryChanged):
            return None
        return KnownNode(
            node=message.node,
            name=message.name,
            profile=message.profile,
            parent=message.parent,
            state=message.state,
            epoch=message.epoch,
            seal_keys=message.seal_keys,
            version=message.version,
        )

    def echo(self, text: str) -> Message:
        return Echo(text=text)

    def goodbye(self, on: date) -> Message:
        return Goodbye(on=on)
