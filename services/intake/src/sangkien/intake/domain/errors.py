"""What intake refuses.

IntakeRefusal
├── DraftRefused            the content cannot be filed as it is
│   ├── KeyMalformed  DraftDateMalformed  TitleLength  TextTooLong  BenefitNegative
│   ├── AuthorsMissing  TooManyAuthors  AuthorUnnamed  AuthorTwice  PersonRefused
│   ├── UnitMissing  UnitUnknown  UnitAmbiguous
│   ├── FiledInFuture  AppliedAfterFiling
│   ├── EvidenceTooMany  EvidenceTooLarge  EvidenceTogetherTooLarge  EvidenceMalformed  EvidenceTwice
│   ├── EvidenceNameInvalid  EvidenceTypeForbidden
│   └── LimitationPassed    never raised: a warning on the answer
├── RoundRefused            no round takes it
│   └── RoundUnknown  RoundShut  OutsideRound  TierDiffers  NoOpenRound  SeveralOpenRounds
├── StateRefused            the dossier does not allow it now
│   └── DossierUnknown  VersionSeenIsOld  SupplementNotAsked  SupplementOverdue  WithdrawalTooLate
├── EvidenceMissing         a file has not been uploaded whole
├── EvidenceUnknown         the dossier has no such file
├── EvidenceForbidden       who may not read the names in a dossier may not read its files
├── DestinationFixed        a supplement goes where its first version went
├── NotAnAuthor             the caller has no part in the dossier
├── FilingForbidden         of the node's services only exchange files, for people of other nodes
└── DirectoryUnreachable    names could not be looked up now; file the row again
"""

from sangkien.kernel import Refusal


class IntakeRefusal(Refusal):
    """Base of all that intake refuses."""


class DraftRefused(IntakeRefusal):
    """The content cannot be filed as it is."""

    kind = "invalid"


class KeyMalformed(DraftRefused):
    """The idempotency key is not 8 to 128 printable ASCII characters."""

    code = "idempotency_key_malformed"


class DraftDateMalformed(DraftRefused):
    """A date is not a day of the calendar written YYYY-MM-DD."""

    code = "draft_date_malformed"


class TitleLength(DraftRefused):
    """The title is too short or too long. Facts: `least`, `most` and `length`, in characters."""

    code = "title_length"


class TextTooLong(DraftRefused):
    """A text is longer than a dossier keeps. Facts: `most` and `length`, in characters."""

    code = "text_too_long"


class BenefitNegative(DraftRefused):
    """The money value of the benefit is below 0 or beyond what can be kept."""

    code = "benefit_out_of_range"


class AuthorsMissing(DraftRefused):
    """A dossier names nobody as its author."""

    code = "authors_missing"


class TooManyAuthors(DraftRefused):
    """More authors than one dossier takes. Facts: `most`."""

    code = "too_many_authors"


class AuthorUnnamed(DraftRefused):
    """An author has neither id nor name. Facts: `position`, from 1."""

    code = "author_unnamed"


class AuthorTwice(DraftRefused):
    """Two entries are the same person. Facts: `position` of the second, from 1."""

    code = "author_twice"


class NotAnAuthor(IntakeRefusal):
    """Authors file, supplement and withdraw what is theirs; officers what they filed themselves."""

    code = "not_an_author"
    kind = "forbidden"


class FilingForbidden(IntakeRefusal):
    """A service files nothing of its own; exchange alone does, for people of other nodes."""

    code = "filing_forbidden"
    kind = "forbidden"


class PersonRefused(DraftRefused):
    """The directory does not take an author. Facts: `position`, from 1; `reason`, its code; `why`, its words."""

    code = "person_refused"


class UnitMissing(DraftRefused):
    """Neither id nor name of the unit is given."""

    code = "unit_missing"


class UnitUnknown(DraftRefused):
    """No unit bears that name. Facts: `suggestions`, up to three names joined by "; ", and `suggested`, how many."""

    code = "unit_unknown"


class UnitAmbiguous(DraftRefused):
    """Several units bear that name. Facts: `suggestions`, up to three names joined by "; "."""

    code = "unit_ambiguous"


class FiledInFuture(DraftRefused):
    """The day of filing has not come yet. Facts: `filed_on`, `today`, ISO dates."""

    code = "filed_in_future"


class AppliedAfterFiling(DraftRefused):
    """The first application is later than the filing. Facts: `first_applied_on`, `filed_on`, ISO dates."""

    code = "applied_after_filing"


class EvidenceTooMany(DraftRefused):
    """More evidence files than one dossier takes. Facts: `most`."""

    code = "evidence_too_many"


class EvidenceTooLarge(DraftRefused):
    """A file is larger than this node keeps. Facts: `most_mib`."""

    code = "evidence_too_large"


class EvidenceTogetherTooLarge(DraftRefused):
    """The files of one dossier are too large together. Facts: `most_mib`."""

    code = "evidence_together_too_large"


class EvidenceMalformed(DraftRefused):
    """A file has no SHA-256 of 64 lower-case digits, or no size above 0. Facts: `position`, from 1."""

    code = "evidence_malformed"


class EvidenceNameInvalid(DraftRefused):
    """A file's name cannot be one everywhere. Facts: `position`, from 1; `most`, in characters."""

    code = "evidence_name_invalid"


class EvidenceTypeForbidden(DraftRefused):
    """A file's name has none of the endings that are taken. Facts: `position`, from 1; `extensions`."""

    code = "evidence_type_forbidden"


class EvidenceTwice(DraftRefused):
    """Two files of a dossier have the same content. Facts: `position` of the second, from 1."""

    code = "evidence_twice"


class EvidenceMissing(IntakeRefusal):
    """A file is not here whole. Facts: `position`, from 1."""

    code = "evidence_missing"
    kind = "precondition"


class EvidenceUnknown(IntakeRefusal):
    """The latest version of the dossier has no such file."""

    code = "evidence_unknown"
    kind = "not_found"


class EvidenceForbidden(IntakeRefusal):
    """The caller may know of the dossier, but not read the names in it, and so nothing of its files."""

    code = "evidence_forbidden"
    kind = "forbidden"


class LimitationPassed(DraftRefused):
    """More than a year passed since the first application (NĐ 13/2012/NĐ-CP, Điều 5(2)); the formal check decides.

    Facts: `first_applied_on` and `limit`, the last day to file, ISO dates.
    """

    code = "limitation_passed"


class RoundRefused(IntakeRefusal):
    """No round takes the dossier."""


class RoundUnknown(RoundRefused):
    """The round is not known here, or not yet: its opening may still be on its way. Trying again soon makes sense."""

    code = "round_unknown_yet"
    kind = "precondition"


class RoundShut(RoundRefused):
    """The round was closed. Facts: `name`, `closed_on` (ISO date)."""

    code = "round_shut"
    kind = "precondition"


class OutsideRound(RoundRefused):
    """The day of filing lies outside the round. Facts: `name`, `opens_on`, `closes_on`, `filed_on` (ISO dates)."""

    code = "outside_round"
    kind = "precondition"


class CouncilGone(RoundRefused):
    """The organisation of the council had ended by the day of filing, and it is not known where its dossiers go.

    Facts: `name` of the round, `until` (ISO date).
    """

    code = "council_gone"
    kind = "precondition"


class TierDiffers(RoundRefused):
    """The round is of another tier than the dossier. Facts: `name`, `tier` of the round."""

    code = "tier_differs"
    kind = "invalid"


class NoOpenRound(RoundRefused):
    """No round is open on the day of filing. Facts: `filed_on`, an ISO date."""

    code = "no_open_round"
    kind = "precondition"


class SeveralOpenRounds(RoundRefused):
    """More than one round is open, and the dossier does not say which. Facts: `names`, joined by "; "."""

    code = "several_open_rounds"
    kind = "invalid"


class StateRefused(IntakeRefusal):
    """The dossier does not allow it now."""


class DossierUnknown(StateRefused):
    """There is no such dossier, or the caller may not know of it."""

    code = "dossier_unknown"
    kind = "not_found"


class VersionSeenIsOld(StateRefused):
    """The caller saw another version. Facts: `expected`, `current`."""

    code = "dossier_version_differs"
    kind = "conflict"


class SupplementNotAsked(StateRefused):
    """No supplement is asked for. Facts: `state`, a state code."""

    code = "supplement_not_asked"
    kind = "conflict"


class SupplementOverdue(StateRefused):
    """The term of the supplement has passed. Facts: `due`, an ISO date."""

    code = "supplement_overdue"
    kind = "precondition"


class DestinationFixed(IntakeRefusal):
    """A supplement goes to the round and is about the initiative of its first version."""

    code = "destination_fixed"
    kind = "invalid"


class WithdrawalTooLate(StateRefused):
    """The council has voted, or the dossier was refused. Facts: `state`, a state code."""

    code = "withdrawal_too_late"
    kind = "conflict"


class DirectoryUnreachable(IntakeRefusal):
    """Names of units or people could not be looked up now. Nothing was filed; the same row may be filed again."""

    code = "directory_unreachable"
    kind = "precondition"
