"""What crosses between nodes, as far as the hub has to read it."""

from sangkien.contracts.crossing import RIGHTS, RegistryChanged
from sangkien.contracts.events import UndecodableEvent
from sangkien.hub.domain.node import Node


def fault_in(message_type: str, body: bytes) -> str:
    """Why no message of this type can be read from the body; "" when one can, or nobody may send the type anyway."""
    right = RIGHTS.get(message_type)
    if right is None:
        return ""
    try:
        right.model.from_bytes(body)
        body.decode()
    except (UndecodableEvent, UnicodeDecodeError):
        return "malformed"
    return ""


def registry_word(node: Node) -> tuple[str, str, bytes]:
    """What nodes are told of a node. Keys of all its lives: messages of a former one may still be on their way."""
    word = RegistryChanged.model_validate(
        {
            "node": node.node,
            "version": node.revision,
            "name": node.name,
            "profile": node.profile,
            "parent": node.parent,
            "state": node.state.value,
            "epoch": node.epoch,
            "seal_keys": node.every_key,
        }
    )
    return word.TYPE, word.key(), word.to_bytes()
