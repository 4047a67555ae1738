"""Which processes a node consists of, and what each is told."""

import os
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sangkien.console.node.folder import Identity, NodeFolder, Running

SERVICES = ("directory", "intake", "review", "recognition", "reward", "notification", "reporting")
"""Directory first: the others ask it for their tokens."""

BROKER_USER = "node"
SENDER = "khong-tra-loi@sang-kien.example"

FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc by itself keeps what a moment of work or a password's argon2 needed: a third of a node in one process."""


class UnknownService(ValueError):
    """A service of that name does not exist."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chose for a node."""

    services: tuple[str, ...] = SERVICES
    one_process: bool = False
    mongo: str = ""
    """URI of a MongoDB replica set; empty for the embedded SQLite stores."""
    smtp: str = ""
    """`smtp://host:port`; empty sends no e-mail."""
    settings: dict[str, str] = field(default_factory=dict)
    """Further settings of every service by bare name, e.g. {"LOG_LEVEL": "debug"}."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process. `target` is the gRPC address that says when it is ready; empty: `port` accepts connections."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    log: Path
    targets: tuple[str, ...] = ()
    port: int = 0


def plan(folder: NodeFolder, options: Options) -> tuple[Running, list[ChildSpec]]:
    """Choose free ports and lay out the children, in the order in which they start."""
    unknown = [name for name in options.services if name not in SERVICES]
    if unknown:
        raise UnknownService(f"{', '.join(unknown)}: không có dịch vụ này · no such service: {', '.join(SERVICES)}")
    identity = folder.identity()
    chosen = [name for name in SERVICES if name in options.services]
    ports = _free_ports(len(chosen) + 1)
    broker_port = ports.pop()
    nats_url = f"nats://{BROKER_USER}:{identity.broker_password}@127.0.0.1:{broker_port}"
    targets = {name: f"127.0.0.1:{port}" for name, port in zip(chosen, ports, strict=True)}
    running = Running(os.getpid(), nats_url, targets, mongo=bool(options.mongo))
    children = [_broker(folder, identity, broker_port)]
    env = {name: FRUGAL | _environment(name, folder, identity, running, options) for name in chosen}
    if options.one_process:
        everything = {key: value for each in env.values() for key, value in each.items()}
        command = (sys.executable, "-m", "sangkien.console.node.together", *chosen)
        log = folder.path / "logs" / "services.log"
        children.append(ChildSpec("services", command, everything, log, tuple(targets.values())))
    else:
        for name in chosen:
            command = (sys.executable, "-m", f"sangkien.{name}", "serve")
            log = folder.path / "logs" / f"{name}.log"
            children.append(ChildSpec(name, command, env[name], log, (targets[name],)))
    return running, children


def _broker(folder: NodeFolder, identity: Identity, port: int) -> ChildSpec:
    config = folder.path / "nats" / "server.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'listen: "127.0.0.1:{port}"\n'
        f'server_name: "{identity.node}-{identity.instance}"\n'
        f'jetstream {{ store_dir: "{folder.path / "nats" / "store"}" }}\n'
        f'authorization {{ users: [ {{ user: "{BROKER_USER}", password: "{identity.broker_password}" }} ] }}\n'
    )
    executable = str(Path(sys.executable).with_name("nats-server"))
    command = (executable if Path(executable).exists() else "nats-server", "-c", str(config))
    return ChildSpec("nats-server", command, {}, folder.path / "logs" / "nats-server.log", port=port)


def _environment(
    name: str, folder: NodeFolder, identity: Identity, running: Running, options: Options
) -> dict[str, str]:
    values = {
        "NODE": identity.node,
        "STORE_URL": options.mongo or f"sqlite:///{folder.path / 'stores'}",
        "DATABASE": f"{name}_{identity.instance}" if options.mongo else name,
        "NATS_URL": running.nats_url,
        "LISTEN": running.targets[name],
        "DIRECTORY": running.targets.get("directory", "127.0.0.1:1"),
        "NODE_SECRET": identity.node_secret,
        "SPANS_DIR": str(folder.path / "spans"),
        **options.settings,
    }
    if name == "directory":
        values["KEY_PATH"] = str(folder.path / "keys" / "signing.jwk")
    if name == "notification" and options.smtp:
        values["SMTP_URL"] = options.smtp
        values["SENDER"] = SENDER
    return {f"{name.upper()}_{key}": value for key, value in values.items()}


def _free_ports(count: int) -> list[int]:
    """Ports that were all free at one moment: held together, so that none is given twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
