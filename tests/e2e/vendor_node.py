"""A node of another maker: joins, files one dossier and reads the answers, with nothing of ours but the .proto file.

Written from docs/joining-as-a-node.md alone. Usage: vendor_node.py BUNDLE FOLDER NATS_SERVER RECEIVER BODY_JSON, with
the folder `proto` on PYTHONPATH. Prints {"node", "epoch", "echoed", "refused", "answers": [{"from", "type", "body"}]}.
"""

import asyncio
import base64
import hashlib
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import grpc
import nats
import nkeys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from nats.js.api import ExternalStream, StreamConfig, StreamSource, SubjectTransform

RAW, PEM = serialization.Encoding.Raw, serialization.Encoding.PEM
PKCS8 = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Vendor:
    def __init__(self, bundle: dict[str, Any], folder: pathlib.Path) -> None:
        self.bundle, self.folder, self.node = bundle, folder, bundle["node"]
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.public = self.key.public_key().public_bytes(RAW, serialization.PublicFormat.Raw)
        self.n, self.prev = 0, "0" * 64

    def join(self) -> None:
        tls, seed = ec.generate_private_key(ec.SECP256R1()), nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        name = x509.Name.from_rfc4514_string(f"CN={self.node}")
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(tls, hashes.SHA256())
        protos, services = grpc.protos_and_services("sangkien/api/hub/v1/hub.proto")
        request = protos.JoinRequest(node=self.node, secret=self.bundle["secret"], version="vendor-1")
        request.csr_pem, request.seal_key = csr.public_bytes(PEM).decode(), b64(self.public)
        request.user_key = nkeys.from_seed(bytearray(seed)).public_key.decode()
        request.now.FromDatetime(datetime.now(UTC))
        trust = grpc.ssl_channel_credentials(self.bundle["authority_pem"].encode())
        with grpc.secure_channel(self.bundle["join"], trust) as channel:
            self.joined = services.JoinServiceStub(channel).Join(request, timeout=20)
        user = f"-----BEGIN NATS USER JWT-----\n{self.joined.user_jwt}\n------END NATS USER JWT------\n\n"
        user += f"-----BEGIN USER NKEY SEED-----\n{seed.decode()}\n------END USER NKEY SEED------\n"
        kept = {"tls.key": tls.private_bytes(PEM, *PKCS8).decode(), "tls.crt": self.joined.certificate_pem}
        for file, text in (kept | {"ca.crt": self.joined.authority_pem, "user.creds": user}).items():
            (self.folder / file).write_text(text)

    def leaf(self, executable: str) -> "subprocess.Popen[bytes]":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        at = self.folder
        (at / "leaf.conf").write_text(f"""
listen: "127.0.0.1:{self.port}"
server_name: "leaf-{self.node}"
jetstream {{ store_dir: "{at}/js", domain: "leaf-{self.node}" }}
accounts {{ ORG {{ jetstream: enabled, users: [{{user: app, password: app}}] }} }}
leafnodes {{ reconnect: 1, remotes: [{{ url: "{self.joined.leaf_url}", account: ORG, credentials: "{at}/user.creds"
  tls {{ cert_file: "{at}/tls.crt", key_file: "{at}/tls.key", ca_file: "{at}/ca.crt" }} }}] }}
""")
        return subprocess.Popen([executable, "-c", at / "leaf.conf"], stderr=(at / "leaf.log").open("wb"))

    async def connect(self) -> None:
        client = await nats.connect(f"nats://app:app@127.0.0.1:{self.port}", max_reconnect_attempts=-1)
        self.js = client.jetstream(timeout=60)
        await self.js.add_stream(name=f"OUT_{self.node}", subjects=["out.>"])
        api = ExternalStream(api="$JS.hub.API", deliver=f"deliver.down.{self.node}")
        moved = [SubjectTransform(src="down.>", dest="in.>")]
        down = StreamSource(name=f"DOWN_{self.node}", external=api, subject_transforms=moved)
        await self.js.add_stream(StreamConfig(name=f"IN_{self.node}", sources=[down]))

    def jws(self, claims: dict[str, Any]) -> str:
        head = {"alg": "EdDSA", "kid": hashlib.sha256(self.public).hexdigest()[:16]}
        whole = {"v": 1, "at": f"{datetime.now(UTC):%FT%T.%fZ}"} | claims
        text = ".".join(b64(json.dumps(part).encode()) for part in (head, whole))
        return f"{text}.{b64(self.key.sign(text.encode()))}"

    def checked(self, jws: str) -> dict[str, Any]:
        text, _, signature = jws.rpartition(".")
        key = ed25519.Ed25519PublicKey.from_public_bytes(unb64(self.joined.hub_key))
        key.verify(unb64(signature), text.encode())
        return dict(json.loads(unb64(text.split(".")[1])))

    async def send(self, to: str, kind: str, key: str, body: bytes) -> None:
        self.n, id = self.n + 1, secrets.token_hex(13)
        claims = {"id": id, "from": self.node, "to": to, "type": kind, "key": key, "epoch": self.joined.epoch}
        claims |= {"n": self.n, "prev": self.prev, "size": len(body), "trace": ""}
        seal = self.jws(claims | {"sha256": hashlib.sha256(body).hexdigest()})
        self.prev = hashlib.sha256(seal.encode()).hexdigest()
        await self.js.publish(f"out.{to}.{kind}", body, headers={"Sk-Seal": seal, "Nats-Msg-Id": id})

    async def run(self, receiver: str, body: bytes) -> dict[str, Any]:
        told: dict[str, Any] = {"node": self.node, "epoch": self.joined.epoch}
        told |= {"echoed": False, "refused": [], "answers": []}
        await self.connect()
        answers, filed, down = told["answers"], json.loads(body), 0
        reader = await self.js.pull_subscribe("in.>", durable="vendor", stream=f"IN_{self.node}")
        await self.send("hub", "node.echo.v1", "node.echo.v1:vendor", b'{"text":"vendor"}')
        while not answers and not told["refused"]:
            for message in await reader.fetch(1, timeout=60):
                _, sender, kind = message.subject.split(".", 2)
                if (sender, kind) == ("hub", "receipt.v1"):
                    receipt = self.checked(message.data.decode())
                    told["refused"] = receipt["refused"]
                    if receipt["n"] >= 1 and not told["echoed"]:
                        told["echoed"], key = True, f"dossier.filed.v1:{filed['dossier_id']}:{filed['version']}"
                        await self.send(receiver, "dossier.filed.v1", key, body)
                else:
                    seal, word = ((message.headers or {})[name] for name in ("Sk-Seal", "Sk-Custody"))
                    if (custody := self.checked(word))["seal"] != hashlib.sha256(seal.encode()).hexdigest():
                        raise ValueError("not what the hub forwarded")
                    down = max(down, custody["n"])
                    if kind == "dossier.answered.v1":
                        answers.append({"from": sender, "type": kind, "body": json.loads(message.data)})
                await message.ack()
        heard = {"from": self.node, "epoch": self.joined.epoch, "n": down, "gap": False}
        await self.js.publish("out.hub.receipt.v1", self.jws(heard).encode())
        return told


def main(bundle: str, folder: str, executable: str, receiver: str, body: str) -> None:
    vendor = Vendor(json.loads(pathlib.Path(bundle).read_text()), pathlib.Path(folder))
    vendor.join()
    server = vendor.leaf(executable)
    try:
        sys.stdout.write(json.dumps(asyncio.run(vendor.run(receiver, pathlib.Path(body).read_bytes()))))
    finally:
        server.terminate()


main(*sys.argv[1:])
