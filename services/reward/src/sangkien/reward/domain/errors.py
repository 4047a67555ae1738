"""What reward refuses. Facts are ids, counts, dates, codes and sums, never names.

Refusal
├── a request that cannot be read
│   ├── RewardKeyMalformed, DateMalformed, PageTokenInvalid, ListFilterWrong
│   ├── OccasionMalformed, NoRecipients, TooManyRecipients, RecipientMalformed, RecipientTwice
│   ├── SigningMalformed
│   └── PaymentsTooMany, PaymentZero
├── a decision that does not allow it
│   ├── DecisionUnknown, NotSubmitted, NotIssued, IssuedOtherwise, IssuedInFuture
│   ├── SignerIsDrafter, SignerUnknown, IssuerUnknown, RecipientsUnknown
│   └── RegisterNotOpen
├── a payment that does not fit
│   └── EntitlementUnknown, Overpaid, ReversalTooLarge, PaidTooEarly, PaidInFuture
├── NotYours, NotOfTheIssuer
└── only ever a warning
    └── RecipientUnknown, RecipientWithoutInitiative, RuleUnverified
"""

from sangkien.kernel import Refusal


class RewardKeyMalformed(Refusal):
    """The idempotency key is empty, too long, or not printable. Facts: `limit`."""

    code = "reward_key_malformed"
    kind = "invalid"


class DateMalformed(Refusal):
    """A day is not written YYYY-MM-DD, or there is none such."""

    code = "reward_date_malformed"
    kind = "invalid"


class PageTokenInvalid(Refusal):
    """The page token does not belong to this list."""

    code = "reward_page_token_invalid"
    kind = "invalid"


class ListFilterWrong(Refusal):
    """A list of entitlements was asked for by neither a decision nor a holder, or by both."""

    code = "reward_list_filter_wrong"
    kind = "invalid"


class OccasionMalformed(Refusal):
    """What the reward is for is empty or too long to be printed. Facts: `limit`."""

    code = "reward_occasion_malformed"
    kind = "invalid"


class NoRecipients(Refusal):
    """A decision without anyone to reward."""

    code = "reward_no_recipients"
    kind = "invalid"


class TooManyRecipients(Refusal):
    """More than one decision holds. Facts: `count`, `limit`."""

    code = "reward_too_many_recipients"
    kind = "invalid"


class RecipientMalformed(Refusal):
    """A recipient lacks its kind or its id. Facts: `position`, counted from 1."""

    code = "reward_recipient_malformed"
    kind = "invalid"


class RecipientTwice(Refusal):
    """The same recipient stands twice in one decision. Facts: `position` and `first`, counted from 1."""

    code = "reward_recipient_twice"
    kind = "invalid"


class SigningMalformed(Refusal):
    """The signature has no title, an unknown mode, or a mode that lacks the position signed for. Facts: `modes`."""

    code = "reward_signing_malformed"
    kind = "invalid"


class DecisionUnknown(Refusal):
    """No such reward decision."""

    code = "reward_decision_unknown"
    kind = "not_found"


class NotSubmitted(Refusal):
    """Only what was submitted for signature can be issued. Facts: `state`."""

    code = "reward_not_submitted"
    kind = "precondition"


class NotIssued(Refusal):
    """The decision has no number, date and sums yet. Facts: `state`."""

    code = "reward_not_issued"
    kind = "precondition"


class IssuedOtherwise(Refusal):
    """The decision was issued already, on another day or by another signer. Facts: `symbol`, `issued_on`."""

    code = "reward_issued_otherwise"
    kind = "conflict"


class IssuedInFuture(Refusal):
    """A decision cannot bear a day that has not come. Facts: `today`."""

    code = "reward_issued_in_future"
    kind = "invalid"


class SignerIsDrafter(Refusal):
    """Who drafted a decision does not sign it."""

    code = "reward_signer_is_drafter"
    kind = "forbidden"


class SignerUnknown(Refusal):
    """Directory knows no name for the signer."""

    code = "reward_signer_unknown"
    kind = "precondition"


class IssuerUnknown(Refusal):
    """Directory knows no such organisation to issue."""

    code = "reward_issuer_unknown"
    kind = "precondition"


class RecipientsUnknown(Refusal):
    """Directory knows no name for some recipients, so nothing can be printed. Facts: `count`, `first` (a position)."""

    code = "reward_recipients_unknown"
    kind = "precondition"


class RegisterNotOpen(Refusal):
    """The issuer's number register of the year was never opened. Facts: `year`."""

    code = "reward_register_not_open"
    kind = "precondition"


class EntitlementUnknown(Refusal):
    """No such entitlement."""

    code = "reward_entitlement_unknown"
    kind = "not_found"


class PaymentsTooMany(Refusal):
    """More payments than one call takes. Facts: `count`, `limit`."""

    code = "reward_payments_too_many"
    kind = "invalid"


class PaymentZero(Refusal):
    """A payment of nothing."""

    code = "reward_payment_zero"
    kind = "invalid"


class Overpaid(Refusal):
    """The payment is more than what is still owed. Facts: `left_vnd`."""

    code = "reward_overpaid"
    kind = "conflict"


class ReversalTooLarge(Refusal):
    """The reversal is more than what was paid. Facts: `paid_vnd`."""

    code = "reward_reversal_too_large"
    kind = "conflict"


class PaidTooEarly(Refusal):
    """The payment bears a day before the decision's. Facts: `granted_on`."""

    code = "reward_paid_too_early"
    kind = "invalid"


class PaidInFuture(Refusal):
    """The payment bears a day that has not come. Facts: `today`."""

    code = "reward_paid_in_future"
    kind = "invalid"


class NotOfTheIssuer(Refusal):
    """The caller's role holds in another organisation than the one that issues the decision."""

    code = "reward_not_of_the_issuer"
    kind = "forbidden"


class NotYours(Refusal):
    """A person sees his or her own entitlements only."""

    code = "reward_not_yours"
    kind = "forbidden"


class RecipientUnknown(Refusal):
    """Directory knows no such person or organisation."""

    code = "reward_recipient_unknown"
    kind = "precondition"


class RecipientWithoutInitiative(Refusal):
    """No initiative of this person is recognised, as far as reward has heard."""

    code = "reward_recipient_without_initiative"
    kind = "precondition"


class RuleUnverified(Refusal):
    """A rule the sums would follow from is not verified. Facts: `parts_vi` and `parts_en`, in words."""

    code = "reward_rule_unverified"
    kind = "precondition"
