"""What directory refuses.

DirectoryRefusal
├── BatchTooLarge, PageTokenInvalid, StoreOlder
├── organisations: OrganisationNameMissing, OrganisationKindMalformed, ParentUnknown, OrganisationUnknown
├── people: PersonNameMissing, PersonUnknown, BirthDateWrong, StaffCodeTooLong
├── both: NameTooLong, EmailMalformed, ValidityMalformed, ValidityReversed
├── roles: RolesMissing, RoleUnknown
├── reorganisation: SuccessionShareUnknown, DocumentMissing, SuccessorOfItself, SuccessorNotStanding,
│   ReorganisedBeforeItStood, OrganisationEndedOtherwise, ReorganisationNotOurs, PredecessorsMissing,
│   OrganisationNotTheirs
├── links: LinkStateUnknown, LinkUnknown, LinkWithinNode, LinkGroundsMissing, LinkTooVague, LinkNotTheirs, LinkReused,
│   LinkNotYoursToAnswer, LinkNotYoursToEnd, LinkPersonNotMeant, LinkPersonOpen, LinkPairKnown, LinkDecidedAlready,
│   LinkAnswerNotAsked
├── accounts: LoginMalformed, LoginTaken, PasswordTooShort, PasswordTooLong, PasswordNotYours
└── sign-in: SignInFailed, SignInBlocked, NodeSecretWrong, ServiceNameMalformed
"""

from sangkien.kernel import Refusal


class DirectoryRefusal(Refusal):
    """Base of them all. No fact of any of them is typed by a person."""


class BatchTooLarge(DirectoryRefusal):
    """More items than one call takes. Facts: `count`, `limit`."""

    code = "directory_batch_too_large"
    kind = "invalid"


class PageTokenInvalid(DirectoryRefusal):
    """The page token is not one this list gave."""

    code = "directory_page_token_invalid"
    kind = "invalid"


class StoreOlder(DirectoryRefusal):
    """The store holds people as an unreleased version wrote them: whom this one would take for new."""

    code = "directory_store_older"
    kind = "precondition"


class OrganisationNameMissing(DirectoryRefusal):
    """An organisation without a name."""

    code = "organisation_name_missing"
    kind = "invalid"


class OrganisationKindMalformed(DirectoryRefusal):
    """The kind is no code: kinds are data, so only their form is checked."""

    code = "organisation_kind_malformed"
    kind = "invalid"


class ParentUnknown(DirectoryRefusal):
    """The parent is not registered here."""

    code = "parent_organisation_unknown"
    kind = "not_found"


class OrganisationUnknown(DirectoryRefusal):
    """The organisation is not registered here."""

    code = "organisation_unknown"
    kind = "not_found"


class PersonNameMissing(DirectoryRefusal):
    """A person without a name."""

    code = "person_name_missing"
    kind = "invalid"


class PersonUnknown(DirectoryRefusal):
    """The person is not registered here."""

    code = "person_unknown"
    kind = "not_found"


class BirthDateWrong(DirectoryRefusal):
    """Not a date, in the future, or before 1900."""

    code = "birth_date_wrong"
    kind = "invalid"


class StaffCodeTooLong(DirectoryRefusal):
    """Longer than any unit's staff code. Facts: `limit`."""

    code = "staff_code_too_long"
    kind = "invalid"


class NameTooLong(DirectoryRefusal):
    """A name, alias or title beyond what documents can print. Facts: `limit`."""

    code = "directory_name_too_long"
    kind = "invalid"


class EmailMalformed(DirectoryRefusal):
    """Not an address that mail can be sent to."""

    code = "email_malformed"
    kind = "invalid"


class ValidityMalformed(DirectoryRefusal):
    """A first or last day that is not YYYY-MM-DD."""

    code = "validity_malformed"
    kind = "invalid"


class ValidityReversed(DirectoryRefusal):
    """The last day comes before the first."""

    code = "validity_reversed"
    kind = "invalid"


class SuccessionShareUnknown(DirectoryRefusal):
    """Not one of the shares that can go over. Facts: `shares`."""

    code = "succession_share_unknown"
    kind = "invalid"


class DocumentMissing(DirectoryRefusal):
    """A reorganisation without the symbol of the document that orders it, or one too long. Facts: `limit`."""

    code = "reorganisation_document_missing"
    kind = "invalid"


class PredecessorsMissing(DirectoryRefusal):
    """A reorganisation of nothing, or of too much at once. Facts: `limit`."""

    code = "reorganisation_size_wrong"
    kind = "invalid"


class SuccessorOfItself(DirectoryRefusal):
    """An organisation would go over into itself."""

    code = "successor_of_itself"
    kind = "invalid"


class SuccessorNotStanding(DirectoryRefusal):
    """The successor does not stand on the first day of the new order. Facts: `on`."""

    code = "successor_not_standing"
    kind = "precondition"


class ReorganisedBeforeItStood(DirectoryRefusal):
    """The new order begins before the organisation existed."""

    code = "reorganised_before_it_stood"
    kind = "invalid"


class OrganisationEndedOtherwise(DirectoryRefusal):
    """The organisation ends, or ended, on another day. Facts: `ended`."""

    code = "organisation_ended_otherwise"
    kind = "conflict"


class ReorganisationNotOurs(DirectoryRefusal):
    """None of the organisations is this node's: their own node says what becomes of them."""

    code = "reorganisation_not_ours"
    kind = "forbidden"


class OrganisationNotTheirs(DirectoryRefusal):
    """A node asserted an organisation of another one, or of this one. Facts: `node`."""

    code = "organisation_not_theirs"
    kind = "forbidden"


class LinkStateUnknown(DirectoryRefusal):
    """Not a state that a link can be in. Facts: `states`."""

    code = "link_state_unknown"
    kind = "invalid"


class LinkUnknown(DirectoryRefusal):
    """There is no such link here."""

    code = "link_unknown"
    kind = "not_found"


class LinkWithinNode(DirectoryRefusal):
    """The predecessor is an organisation of this node: no other node is to be asked."""

    code = "link_within_node"
    kind = "invalid"


class LinkGroundsMissing(DirectoryRefusal):
    """No succession is recorded from the one organisation to the other."""

    code = "link_grounds_missing"
    kind = "precondition"


class LinkTooVague(DirectoryRefusal):
    """Neither an id, nor a birth date, nor a staff code: the name alone finds nobody for certain."""

    code = "link_too_vague"
    kind = "invalid"


class LinkNotTheirs(DirectoryRefusal):
    """A node proposed what is not its to propose. Facts: `node`."""

    code = "link_not_theirs"
    kind = "forbidden"


class LinkReused(DirectoryRefusal):
    """A proposal came again under the same id with another content."""

    code = "link_reused"
    kind = "conflict"


class LinkNotYoursToAnswer(DirectoryRefusal):
    """A proposal of this node: the other one answers it."""

    code = "link_not_yours_to_answer"
    kind = "forbidden"


class LinkNotYoursToEnd(DirectoryRefusal):
    """A proposal of another node that waits for an answer: it is refused, not ended."""

    code = "link_not_yours_to_end"
    kind = "precondition"


class LinkPersonNotMeant(DirectoryRefusal):
    """The proposal names another person of this node."""

    code = "link_person_not_meant"
    kind = "invalid"


class LinkPersonOpen(DirectoryRefusal):
    """Nobody, or more than one, fits: the registrar has to say who is meant. Facts: `count`."""

    code = "link_person_open"
    kind = "precondition"


class LinkPairKnown(DirectoryRefusal):
    """The two are linked already."""

    code = "link_pair_known"
    kind = "conflict"


class LinkDecidedAlready(DirectoryRefusal):
    """Somebody decided otherwise before. Facts: `state`."""

    code = "link_decided_already"
    kind = "conflict"


class LinkAnswerNotAsked(DirectoryRefusal):
    """The other node answered what it was not asked, or what is not its to say."""

    code = "link_answer_not_asked"
    kind = "forbidden"


class RolesMissing(DirectoryRefusal):
    """A grant of nothing."""

    code = "roles_missing"
    kind = "invalid"


class RoleUnknown(DirectoryRefusal):
    """No role a person can hold. Facts: `roles`, those there are."""

    code = "role_unknown"
    kind = "invalid"


class LoginMalformed(DirectoryRefusal):
    """Not 3 to 64 letters, digits, dots, dashes, underscores or an e-mail address."""

    code = "login_malformed"
    kind = "invalid"


class LoginTaken(DirectoryRefusal):
    """Another person's account has the login."""

    code = "login_taken"
    kind = "conflict"


class PasswordTooShort(DirectoryRefusal):
    """Fewer characters than a password needs. Facts: `least`."""

    code = "password_too_short"
    kind = "invalid"


class PasswordTooLong(DirectoryRefusal):
    """More characters than are hashed. Facts: `most`."""

    code = "password_too_long"
    kind = "invalid"


class PasswordNotYours(DirectoryRefusal):
    """Somebody who is no operator tried to set another person's password."""

    code = "password_not_yours"
    kind = "forbidden"


class SignInFailed(DirectoryRefusal):
    """Unknown login or wrong password: which of them is never told."""

    code = "sign_in_failed"
    kind = "forbidden"


class SignInBlocked(DirectoryRefusal):
    """Too many failures of this login, known or not. Facts: `seconds` to wait."""

    code = "sign_in_blocked"
    kind = "exhausted"


class NodeSecretWrong(DirectoryRefusal):
    """The caller does not know the node's secret."""

    code = "node_secret_wrong"
    kind = "forbidden"


class ServiceNameMalformed(DirectoryRefusal):
    """Not a service's name."""

    code = "service_name_malformed"
    kind = "invalid"
