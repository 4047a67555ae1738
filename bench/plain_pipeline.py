"""The pipeline written the plain way: one command, one transaction, one publish, one message at a time.

The same seven services as processes, the same number of steps, rows, events and mails for each dossier (what reviewers
are told stays in the inbox: our few digests are not counted against it), SQLite at
synchronous=FULL, JetStream with acknowledgements, gRPC for every command. No batches, no outbox, no checks of any kind.
"""

import asyncio
import json
import smtplib
import sqlite3
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from email.message import EmailMessage
from pathlib import Path

import grpc
import nats
import nats.errors
import uvloop
from harness import helper
from nats.js import JetStreamContext

from sangkien.runtime import new_id
from sangkien.testkit.nats_server import NatsServer

BODY = "x" * 450
STREAM = "PLAIN"

COMMANDS: Mapping[str, tuple[str, int, tuple[str, ...]]] = {
    "register": ("directory", 1, ("registered",)),
    "file": ("intake", 4, ("submitted",)),
    "check": ("review", 1, ("accepted",)),
    "assign": ("review", 2, ("assigned",)),
    **{f"sheet{number}": ("review", 1, ()) for number in range(2)},
    **{f"ballot{number}": ("review", 1, ()) for number in range(6)},
    "count": ("review", 1, ("voted",)),
    "issue": ("recognition", 3, ("recognised", "certified")),
    "grant": ("reward", 2, ("granted",)),
    "pay": ("reward", 1, ("paid",)),
}
"""Of each command: who serves it, how many rows it writes, which events follow."""

EVENTS = tuple(event for _, _, events in COMMANDS.values() for event in events)

HEARS: Mapping[str, Mapping[str, int]] = {
    "directory": {},
    "intake": {"accepted": 1, "voted": 1},
    "review": {"submitted": 1},
    "recognition": {"voted": 1},
    "reward": {"recognised": 2},
    "notification": {"submitted": 2, "accepted": 1, "assigned": 2, "certified": 1, "granted": 1},
    "reporting": dict.fromkeys(EVENTS, 2),
}
"""Of each service: which events it hears and how many rows each makes; for notification, how many people are told."""

UNMAILED = ("assigned",)
MAILS = sum(told for event, told in HEARS["notification"].items() if event not in UNMAILED)


async def plain_dossiers_per_s(folder: Path, dossiers: int) -> float:
    """Dossiers a second from the first command to the last mail."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(NatsServer(folder / "nats"))
        client = await nats.connect(server.url)
        stack.push_async_callback(client.close)
        await client.jetstream().add_stream(name=STREAM, subjects=["plain.>"])
        smtp_port = await stack.enter_async_context(helper("smtp_sink.py"))
        call: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        for service in HEARS:
            arguments = (service, server.url, str(folder / f"{service}.db"), str(smtp_port))
            port = await stack.enter_async_context(helper("plain_pipeline.py", *arguments))
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
            call[service] = channel.unary_unary("/plain.Plain/Command")
        began = time.perf_counter()
        for number in range(dossiers):
            for command, (service, _, _) in COMMANDS.items():
                await call[service](json.dumps({"dossier": number, "command": command}).encode())
        await _count(folder / "notification.db", "sent", dossiers * MAILS)
        await _count(folder / "reporting.db", "inbox", dossiers * len(EVENTS))
        return dossiers / (time.perf_counter() - began)


async def _count(file: Path, table: str, wanted: int) -> None:
    """Wait for so many rows."""
    found = -1
    while found < wanted:
        await asyncio.sleep(0.02)
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            found = db.execute(f"select count(*) from {table}").fetchone()[0]  # noqa: S608 (a name of ours)
    assert found == wanted


class PlainService:
    """One of the seven: writes, then publishes, then answers."""

    def __init__(self, name: str, file: Path, js: JetStreamContext, smtp_port: int) -> None:
        self._name = name
        self._js = js
        self._smtp_port = smtp_port
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        for table in ("rows", "inbox", "sent"):
            self._db.execute(f"create table {table}(id text primary key not null, body text not null)")

    async def command(self, request: bytes, _context: object) -> bytes:
        asked = json.loads(request)
        _, rows, events = COMMANDS[asked["command"]]
        self._write([("rows", new_id(), BODY) for _ in range(rows)])
        for event in events:
            body = json.dumps({"dossier": asked["dossier"], "body": BODY[:300]}).encode()
            await self._js.publish(f"plain.{event}", body, headers={"Nats-Msg-Id": new_id()})
        return b"{}"

    async def listen(self) -> None:
        """Handle one event after another."""
        subjects = [f"plain.{event}" for event in HEARS[self._name]]
        config = nats.js.api.ConsumerConfig(filter_subjects=subjects)
        pull = await self._js.pull_subscribe("plain.>", durable=self._name, stream=STREAM, config=config)
        while True:
            try:
                [message] = await pull.fetch(1, timeout=1)
            except nats.errors.TimeoutError:
                continue
            json.loads(message.data)
            event = message.subject.removeprefix("plain.")
            rows = HEARS[self._name][event]
            doubled = rows * 2 if self._name == "notification" else rows  # the inbox's and the mail's or digest line's
            self._write([*[("rows", new_id(), BODY) for _ in range(doubled)], ("inbox", new_id(), "")])
            await message.ack_sync()
            if self._name == "notification" and event not in UNMAILED:
                for _ in range(rows):
                    await asyncio.to_thread(self._mail)
                    self._write([("sent", new_id(), "")])

    def _write(self, rows: list[tuple[str, str, str]]) -> None:
        self._db.execute("begin immediate")
        for table, id, body in rows:
            self._db.execute(f"insert into {table} values (?, ?)", (id, body))  # noqa: S608 (a name of ours)
        self._db.execute("commit")

    def _mail(self) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = "khong-tra-loi@sang-kien.example", "nguoi@don-vi.example"
        mail["Subject"] = "Hồ sơ đã được tiếp nhận / Your dossier was received"
        mail["Message-ID"] = f"<{new_id()}@sang-kien.example>"
        mail.set_content(BODY)
        with smtplib.SMTP("127.0.0.1", self._smtp_port) as smtp:
            smtp.send_message(mail)


async def serve(name: str, nats_url: str, file: str, smtp_port: str) -> None:
    """Serve until killed; prints the port."""
    client = await nats.connect(nats_url)
    service = PlainService(name, Path(file), client.jetstream(), int(smtp_port))
    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(service.command)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("plain.Plain", {"Command": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    if HEARS[name]:
        await service.listen()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(*sys.argv[1:]))
