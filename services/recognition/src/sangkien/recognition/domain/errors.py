"""What recognition refuses. Facts are figures, dates, symbols and codes, never names.

Refusal
└── RecognitionRefusal
    ├── DecisionKeyMalformed
    ├── DecisionDateMalformed
    ├── RecognitionTextMalformed
    ├── RecognitionListTooLong
    ├── RecognitionPageTokenInvalid
    ├── CertificateFilterWrong
    ├── NotTheIssuer
    ├── SignerDrafted
    ├── CertificateNotYours
    ├── RecordNotYours
    ├── DecisionUnknown
    ├── CertificateUnknown
    ├── CandidateUnknown
    ├── CandidateTaken
    ├── RoundWithoutCandidates
    ├── RoundBeingDrafted
    ├── VoteAfterDraft
    ├── RegisterNotOpen
    ├── IssuerNotStanding
    ├── NamesUnknown
    ├── TierNotInForce
    ├── SigningModeUnknown
    ├── SignedForMismatch
    └── DecisionStateRefused
        ├── DecisionStillDrafted
        ├── DecisionNotSubmitted
        ├── DecisionNotIssued
        ├── DecisionIssuedAlready
        ├── DecisionIssuedOtherwise
        ├── IssuedBeforeVote
        └── IssuedInFuture
"""

from sangkien.kernel import Refusal


class RecognitionRefusal(Refusal):
    """Groups what recognition refuses."""


class DecisionStateRefused(RecognitionRefusal):
    """Groups moves a decision does not allow in its state or on that day."""


class DecisionKeyMalformed(RecognitionRefusal):
    """The idempotency key is empty, longer than `limit` characters, or holds what cannot be printed."""

    code = "decision_key_malformed"
    kind = "invalid"


class DecisionDateMalformed(RecognitionRefusal):
    """A date is not YYYY-MM-DD."""

    code = "decision_date_malformed"
    kind = "invalid"


class RecognitionTextMalformed(RecognitionRefusal):
    """A text of the decision is empty or longer than `limit` characters."""

    code = "recognition_text_malformed"
    kind = "invalid"


class RecognitionListTooLong(RecognitionRefusal):
    """A list holds `count` items, more than `limit`."""

    code = "recognition_list_too_long"
    kind = "invalid"


class RecognitionPageTokenInvalid(RecognitionRefusal):
    """The page token is not one of this list."""

    code = "recognition_page_token_invalid"
    kind = "invalid"


class CertificateFilterWrong(RecognitionRefusal):
    """Not exactly one of decision, initiative and person was given."""

    code = "certificate_filter_wrong"
    kind = "invalid"


class NotTheIssuer(RecognitionRefusal):
    """The caller's roles hold in another organisation than the one that issues."""

    code = "not_the_issuer"
    kind = "forbidden"


class SignerDrafted(RecognitionRefusal):
    """Who drafted or submitted a decision does not sign it (separation of duty)."""

    code = "signer_drafted"
    kind = "forbidden"


class CertificateNotYours(RecognitionRefusal):
    """Only the holder and the staff of the issuing side see certificates."""

    code = "certificate_not_yours"
    kind = "forbidden"


class RecordNotYours(RecognitionRefusal):
    """Only the person and the staff of their node see a record."""

    code = "record_not_yours"
    kind = "forbidden"


class DecisionUnknown(RecognitionRefusal):
    """There is no such decision."""

    code = "decision_unknown"
    kind = "not_found"


class CertificateUnknown(RecognitionRefusal):
    """There is no such certificate."""

    code = "certificate_unknown"
    kind = "not_found"


class CandidateUnknown(RecognitionRefusal):
    """The dossier was not voted on in this round, as far as is known here."""

    code = "candidate_unknown"
    kind = "not_found"


class CandidateTaken(RecognitionRefusal):
    """The dossier stands in another decision: each is decided once."""

    code = "candidate_taken"
    kind = "conflict"


class RoundWithoutCandidates(RecognitionRefusal):
    """No dossier of the round waits for a decision."""

    code = "round_without_candidates"
    kind = "precondition"


class RoundBeingDrafted(RecognitionRefusal):
    """Another draft is taking the candidates of the round at this moment, or was broken off: repeat or submit it."""

    code = "round_being_drafted"
    kind = "conflict"


class VoteAfterDraft(RecognitionRefusal):
    """A later vote came for a dossier that stands in a decision. A person has to look at it."""

    code = "vote_after_draft"
    kind = "conflict"


class RegisterNotOpen(RecognitionRefusal):
    """The issuer has no number register with this suffix for the `year`."""

    code = "register_not_open"
    kind = "precondition"


class IssuerNotStanding(RecognitionRefusal):
    """The issuer is not registered, or did not stand on the day `on`."""

    code = "issuer_not_standing"
    kind = "precondition"


class NamesUnknown(RecognitionRefusal):
    """Directory does not know `people` authors and `units` units of the list: nothing can be printed for them."""

    code = "names_unknown"
    kind = "precondition"


class TierNotInForce(RecognitionRefusal):
    """There is no recognition at this `tier` on the day `on`."""

    code = "tier_not_in_force"
    kind = "precondition"


class SigningModeUnknown(RecognitionRefusal):
    """The signature authority is not one of TM, KT, TUQ and TL (Decree 30/2020/NĐ-CP, article 13)."""

    code = "signing_mode_unknown"
    kind = "invalid"


class SignedForMismatch(RecognitionRefusal):
    """KT, TUQ and TL name the position signed for; signing in one's own right names none."""

    code = "signed_for_mismatch"
    kind = "invalid"


class DecisionStillDrafted(DecisionStateRefused):
    """The draft does not hold its whole list yet."""

    code = "decision_still_drafted"
    kind = "conflict"


class DecisionNotSubmitted(DecisionStateRefused):
    """The decision was not submitted for signature. Facts: `state`."""

    code = "decision_not_submitted"
    kind = "precondition"


class DecisionNotIssued(DecisionStateRefused):
    """The decision bears no number yet. Facts: `state`."""

    code = "decision_not_issued"
    kind = "precondition"


class DecisionIssuedAlready(DecisionStateRefused):
    """The decision is issued and does not change any more. Facts: `symbol`."""

    code = "decision_issued_already"
    kind = "conflict"


class DecisionIssuedOtherwise(DecisionStateRefused):
    """The decision was issued with another day, signer or signature. Facts: `symbol`, `issued_on`."""

    code = "decision_issued_otherwise"
    kind = "conflict"


class IssuedBeforeVote(DecisionStateRefused):
    """The day of issue lies before a vote the decision rests on. Facts: `held_on`."""

    code = "issued_before_vote"
    kind = "precondition"


class IssuedInFuture(DecisionStateRefused):
    """The day of issue has not come. Facts: `today`."""

    code = "issued_in_future"
    kind = "precondition"
