"""What the hub refuses. Facts are ids, states, figures and times, never names.

Refusal
└── HubRefusal
    ├── NodeIdMalformed
    ├── NodeIdReserved
    ├── NodeNameMalformed
    ├── NodeProfileUnknown
    ├── NodeParentUnknown
    ├── InvitationTooLong
    ├── NodeUnknown
    ├── NodeRegistered
    ├── NodeNotRegistered
    ├── NodeStateRefused
    ├── ReasonMissing
    ├── JoinSecretWrong
    ├── JoinInvitationExpired
    ├── JoinClockSkewed
    ├── JoinKeysMalformed
    ├── JoinOtherKeys
    ├── RotationProofBroken
    ├── MessageUnknown
    └── MessageNotStamped
"""

from sangkien.kernel import Refusal


class HubRefusal(Refusal):
    """Groups what the hub refuses."""


class NodeIdMalformed(HubRefusal):
    """A node id is lower case letters, digits and hyphens, at most `limit`, without a hyphen at either end."""

    code = "node_id_malformed"
    kind = "invalid"


class NodeIdReserved(HubRefusal):
    """The id is the one that stands for the hub itself."""

    code = "node_id_reserved"
    kind = "invalid"


class NodeNameMalformed(HubRefusal):
    """The name is empty or longer than `limit` characters."""

    code = "node_name_malformed"
    kind = "invalid"


class NodeProfileUnknown(HubRefusal):
    """The profile is none of `profiles`."""

    code = "node_profile_unknown"
    kind = "invalid"


class NodeParentUnknown(HubRefusal):
    """The parent is not registered, has left, or is the node itself or below it."""

    code = "node_parent_unknown"
    kind = "invalid"


class InvitationTooLong(HubRefusal):
    """An invitation is good for `limit` hours at most."""

    code = "invitation_too_long"
    kind = "invalid"


class NodeUnknown(HubRefusal):
    """No node of this id is registered."""

    code = "node_unknown"
    kind = "not_found"


class NodeRegistered(HubRefusal):
    """The node is registered and did join; inviting it again begins a new life of it. Facts: `state`."""

    code = "node_registered"
    kind = "conflict"


class NodeNotRegistered(HubRefusal):
    """The node never joined: there is nothing to begin again."""

    code = "node_not_registered"
    kind = "precondition"


class NodeStateRefused(HubRefusal):
    """The node does not allow this move in its state. Facts: `state`."""

    code = "node_state_refused"
    kind = "precondition"


class ReasonMissing(HubRefusal):
    """No reason was given, or one longer than `limit` characters; other operators will read it."""

    code = "node_reason_missing"
    kind = "invalid"


class JoinSecretWrong(HubRefusal):
    """No invitation of this node has this secret. An unknown node is told the same."""

    code = "join_secret_wrong"
    kind = "forbidden"


class JoinInvitationExpired(HubRefusal):
    """The invitation was good until `expired_at`."""

    code = "join_invitation_expired"
    kind = "precondition"


class JoinClockSkewed(HubRefusal):
    """The node's clock says `node_clock`, the hub's `hub_clock`: more than `limit` seconds apart."""

    code = "join_clock_skewed"
    kind = "precondition"


class JoinKeysMalformed(HubRefusal):
    """A certificate request or key cannot be registered. Facts: `why`, a code."""

    code = "join_keys_malformed"
    kind = "invalid"


class JoinOtherKeys(HubRefusal):
    """The invitation was used with other keys than these."""

    code = "join_other_keys"
    kind = "conflict"


class RotationProofBroken(HubRefusal):
    """The new keys are not asked for under a seal key of this node that is in force."""

    code = "rotation_proof_broken"
    kind = "forbidden"


class MessageUnknown(HubRefusal):
    """No message of this id was taken into custody."""

    code = "hub_message_unknown"
    kind = "not_found"


class MessageNotStamped(HubRefusal):
    """The message waits for its stamp: at most `seconds` while stamping works."""

    code = "hub_message_not_stamped"
    kind = "precondition"
