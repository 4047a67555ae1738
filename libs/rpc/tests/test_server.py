"""What a server asks and answers, for every kind of method."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from sangkien.api.errors.v1.errors_pb2 import ItemError
from sangkien.kernel import Refusal
from sangkien.rpc import RemoteFault, RemoteRefusal, RemoteUnavailable, Unavailable, principal
from sangkien.rpc.refusals import TokenMissing

Behave = Callable[[str], Awaitable[str]]


class SharesWrong(Refusal):
    code = "demo_shares_wrong"
    kind = "invalid"


def raising(error: Exception) -> Behave:
    async def behave(text: str) -> str:
        raise error

    return behave


async def who(text: str) -> str:
    caller = principal()
    return f"{text}:{caller.person_id}:{caller.organisation}:{'+'.join(sorted(caller.roles))}"


async def failure(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The error a bare client gets."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def reason(error: grpc.aio.AioRpcError) -> str:
    status = rpc_status.from_call(error)
    return "" if status is None else bytes(status.details[0].value)[2:].split(b"\x12")[0].decode()


async def test_method_answers_a_caller_with_one_of_its_roles(node: Any, kind: str) -> None:
    served = await node.serve(who)
    assert await served.call(kind, "a b", over=served.channel("clerk", "author")) == (
        [f"{word}:{node.person}:ba-dinh:UNIT:author+clerk" for word in ("a", "b")]
        if kind != "Once"
        else ["a", f"b:{node.person}:ba-dinh:UNIT:author+clerk"]
    )


async def test_method_refuses_a_caller_without_a_token_before_reading_the_request(node: Any, kind: str) -> None:
    served = await node.serve()
    error = await failure(served.call(kind, "a", over=served.bare(), raw=b"\xff\xff not a message", timeout=60))
    assert (error.code(), reason(error)) == (grpc.StatusCode.UNAUTHENTICATED, "token_missing")
    assert served.seen == []


async def test_method_refuses_a_caller_without_its_role_and_names_the_roles(node: Any, kind: str) -> None:
    served = await node.serve()
    with pytest.raises(RemoteRefusal) as refused:
        await served.call(kind, "a", over=served.channel("author"))
    assert (refused.value.code, refused.value.kind) == ("role_missing", "forbidden")
    assert refused.value.facts == {"roles": "clerk, filer"}
    assert served.seen == []


async def test_method_refuses_a_call_without_a_deadline(node: Any, kind: str) -> None:
    served = await node.serve()
    metadata = (("authorization", f"Bearer {await node.token('filer')()}"),)
    error = await failure(served.call(kind, "a", over=served.bare(), metadata=metadata))
    assert (error.code(), reason(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "deadline_required")
    assert served.seen == []


async def test_method_refuses_bytes_that_are_not_its_message(node: Any, kind: str) -> None:
    served = await node.serve()
    with pytest.raises(RemoteRefusal) as refused:
        await served.call(kind, "a", raw=b"\xff\xff not a message")
    assert (refused.value.code, refused.value.kind, served.seen) == ("request_malformed", "invalid", [])


async def test_refusal_reaches_the_caller_whole(node: Any, kind: str) -> None:
    served = await node.serve(raising(SharesWrong(field="authors[1].share", total=90)))
    with pytest.raises(RemoteRefusal) as refused:
        await served.call(kind, "a")
    error = refused.value
    assert (error.code, error.kind, error.field, error.facts) == (
        "demo_shares_wrong",
        "invalid",
        "authors[1].share",
        {"total": "90"},
    )


async def test_refusal_after_some_answers_keeps_the_answers(node: Any) -> None:
    async def third_fails(text: str) -> str:
        if text == "c":
            raise SharesWrong
        return text

    served = await node.serve(third_fails)
    channel, answers = served.channel("filer"), []
    many = channel.unary_stream(f"/{node.service}/Many", ItemError.SerializeToString, ItemError.FromString)
    call = many(ItemError(code="a b c d"))
    try:
        while True:
            answers.append((await call.read()).code)
    except RemoteRefusal as refused:
        answers.append(refused.code)
    assert (answers, served.seen) == (["a", "b", "demo_shares_wrong"], ["a", "b", "c"])


@pytest.mark.parametrize(
    ("kind_of_refusal", "status"),
    [
        ("invalid", grpc.StatusCode.INVALID_ARGUMENT),
        ("not_found", grpc.StatusCode.NOT_FOUND),
        ("conflict", grpc.StatusCode.ABORTED),
        ("forbidden", grpc.StatusCode.PERMISSION_DENIED),
        ("precondition", grpc.StatusCode.FAILED_PRECONDITION),
        ("exhausted", grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_kind_of_a_refusal_is_its_status_and_comes_back(
    node: Any, kind_of_refusal: Any, status: grpc.StatusCode
) -> None:
    class Refused(SharesWrong):
        kind = kind_of_refusal

    served = await node.serve(raising(Refused()))
    metadata = (("authorization", f"Bearer {await node.token('filer')()}"),)
    error = await failure(served.call("Once", "a", over=served.bare(), metadata=metadata, timeout=60))
    with pytest.raises(RemoteRefusal) as refused:
        await served.call("Once", "a")
    assert (error.code(), refused.value.kind) == (status, kind_of_refusal)


async def test_rich_details_are_the_standard_ones_in_both_languages(node: Any) -> None:
    served = await node.serve(raising(TokenMissing(field="title")))
    metadata = (("authorization", f"Bearer {await node.token('filer')()}"),)
    error = await failure(served.call("Once", "a", over=served.bare(), metadata=metadata, timeout=60))
    status = rpc_status.from_call(error)
    assert status is not None
    assert [detail.type_url.rpartition(".")[2] for detail in status.details] == [
        "ErrorInfo",
        "BadRequest",
        "LocalizedMessage",
        "LocalizedMessage",
        "ItemError",
    ]
    assert error.details() == "Bạn chưa đăng nhập. / You are not signed in."


async def test_unplanned_error_tells_an_incident_and_nothing_else(node: Any, kind: str) -> None:
    served = await node.serve(raising(ValueError("no such person: Trần Thị Bích")))
    metadata = (("authorization", f"Bearer {await node.token('filer')()}"),)
    error = await failure(served.call(kind, "a", over=served.bare(), metadata=metadata, timeout=60))
    told = f"{error.details()}{error.trailing_metadata()!r}{rpc_status.from_call(error)}"
    assert error.code() is grpc.StatusCode.INTERNAL
    assert [word for word in ("Bích", "ValueError", "B\\303\\255ch", "no such person") if word in told] == []
    with pytest.raises(RemoteFault) as failed:
        await served.call(kind, "a")
    assert (failed.value.status, len(failed.value.incident)) == ("INTERNAL", 26)


async def test_answer_that_is_no_message_is_an_unplanned_error(node: Any, kind: str) -> None:
    async def wrong(text: str) -> Any:
        return {"author": "Trần Thị Bích"}

    served = await node.serve(wrong)
    with pytest.raises(RemoteFault) as failed:
        await served.call(kind, "a")
    assert failed.value.status == "INTERNAL"


async def test_error_of_a_layer_below_is_translated(node: Any, kind: str) -> None:
    class StoreGone(Exception):
        pass

    def translate(error: BaseException) -> BaseException:
        return Unavailable("store") if isinstance(error, StoreGone) else error

    served = await node.serve(raising(StoreGone()), translate=translate)
    with pytest.raises(RemoteUnavailable) as failed:
        await served.call(kind, "a")
    assert failed.value.status == "UNAVAILABLE"


async def test_public_method_serves_anyone_and_knows_nobody(node: Any) -> None:
    served = await node.serve()
    assert await served.call("Open", "a", over=served.bare(), timeout=60) == ["a"]
    asking = await node.serve(who)
    with pytest.raises(RemoteRefusal) as refused:
        await asking.call("Open", "a", over=asking.channel("filer"))
    assert (refused.value.code, refused.value.kind) == ("token_missing", "unauthenticated")


async def test_caller_of_one_call_is_unknown_to_the_next(node: Any) -> None:
    async def named(text: str) -> str:
        return "+".join(sorted(principal().roles))

    served = await node.serve(named)
    both = served.channel("filer"), served.channel("clerk")
    assert [await served.call("Once", "a", over=channel) for channel in (*both, *both)] == [
        ["filer"],
        ["clerk"],
        ["filer"],
        ["clerk"],
    ]


async def test_refusal_of_a_nested_call_is_handed_on_unchanged(node: Any) -> None:
    inner = await node.serve(raising(SharesWrong(field="share", total=90)))

    async def nested(text: str) -> str:
        return str(await inner.call("Once", text))

    outer = await node.serve(nested)
    with pytest.raises(RemoteRefusal) as refused:
        await outer.call("Once", "a")
    assert (refused.value.code, refused.value.kind, refused.value.field) == ("demo_shares_wrong", "invalid", "share")


async def test_service_that_cannot_sign_in_itself_does_not_blame_its_caller(node: Any) -> None:
    inner = await node.serve()

    async def nested(text: str) -> str:
        return str(await inner.call("Once", text, over=inner.channel()))

    outer = await node.serve(nested)
    with pytest.raises(RemoteFault) as failed:
        await outer.call("Once", "a")
    assert failed.value.status == "INTERNAL"


async def test_message_above_the_limit_is_refused_for_its_size(node: Any) -> None:
    served = await node.serve(max_message_bytes=1000)
    with pytest.raises(RemoteRefusal) as refused:
        await served.call("Once", "a" * 2000)
    assert (refused.value.code, refused.value.kind, served.seen) == ("message_too_large", "invalid", [])
