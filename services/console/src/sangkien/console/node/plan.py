"""Which processes a node consists of, and what each is told."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sangkien.console.node.folder import Identity, NodeFolder, Running
from sangkien.console.node.profiles import PROFILES
from sangkien.runtime.ports import free_ports

SERVICES = ("directory", "intake", "review", "recognition", "reward", "notification", "reporting")
"""What a node that runs alone consists of. Directory first: the others ask it for their tokens."""
FEDERATION = ("exchange", "hub")
"""What joins nodes: a member's end of the link, and the centre."""
EVERY = (*SERVICES, *FEDERATION)

BROKER_USER = "node"
SENDER = "khong-tra-loi@sang-kien.example"

FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""glibc by itself keeps what a moment of work or a password's argon2 needed: a third of a node in one process."""
LEAN = (sys.executable, "-m", "sangkien.console.node.lean")
_NOBODY = "127.0.0.1:1"
"""Target of a service that this node does not run."""


class UnknownService(ValueError):
    """A service or profile of that name does not exist."""


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
    """Further settings of every service by bare name, e.g. {"LOG_LEVEL": "debug"}; with the service's name before it
    ("HUB_STAMP_EVERY_S") of that service alone."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One process. `target` is the gRPC address that says when it is ready; empty: `port` accepts connections."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str]
    log: Path
    targets: tuple[str, ...] = ()
    port: int = 0


@dataclass(frozen=True, slots=True)
class LinkServer:
    """A nats-server that stands between nodes, and what it makes the services of this node be told."""

    child: ChildSpec
    links: Mapping[str, str]
    settings: Mapping[str, str]


LinkServers = Callable[[NodeFolder, Iterable[str]], list[LinkServer]]


def usual(folder: NodeFolder) -> Options:
    """What the node of a folder consists of, where nobody asks for anything else."""
    profile = folder.chosen().profile
    if not profile:
        return Options()
    if profile not in PROFILES:
        raise UnknownService(f"{profile}: không có loại nút này · no such profile: {', '.join(PROFILES)}")
    return Options(services=PROFILES[profile].services)


def plan(folder: NodeFolder, options: Options, servers: Iterable[LinkServer] = ()) -> tuple[Running, list[ChildSpec]]:
    """Choose free ports and lay out the children, in the order in which they start."""
    unknown = [name for name in options.services if name not in EVERY]
    if unknown:
        raise UnknownService(f"{', '.join(unknown)}: không có dịch vụ này · no such service: {', '.join(EVERY)}")
    identity = folder.identity()
    servers = list(servers)
    chosen = [name for name in EVERY if name in options.services]
    ports = free_ports(len(chosen) + 1)
    broker_port = ports.pop()
    nats_url = f"nats://{BROKER_USER}:{identity.broker_password}@127.0.0.1:{broker_port}"
    targets = {name: f"127.0.0.1:{port}" for name, port in zip(chosen, ports, strict=True)}
    links = {name: url for server in servers for name, url in server.links.items()}
    running = Running(os.getpid(), nats_url, targets, mongo=bool(options.mongo), links=links)
    told = {key: value for server in servers for key, value in server.settings.items()}
    children = [_broker(folder, identity, broker_port), *(server.child for server in servers)]
    return running, children + services(folder, running, options, chosen, told)


def services(
    folder: NodeFolder, running: Running, options: Options, names: Iterable[str], told: Mapping[str, str]
) -> list[ChildSpec]:
    """The processes of these services. `told` are settings by full name, of the link servers."""
    identity = folder.identity()
    env = {name: FRUGAL | _environment(name, folder, identity, running, options) for name in names}
    for name in env:
        env[name] |= {key: value for key, value in told.items() if key.startswith(f"{name.upper()}_")}
    logs = folder.path / "logs"
    if options.one_process:
        everything = {key: value for each in env.values() for key, value in each.items()}
        command = (*LEAN, "sangkien.console.node.together", *env)
        targets = tuple(running.targets[name] for name in env)
        return [ChildSpec("services", command, everything, logs / "services.log", targets)]
    return [
        ChildSpec(
            name,
            (*LEAN, f"sangkien.{name}", "serve"),
            env[name],
            logs / f"{name}.log",
            (running.targets[name],),
        )
        for name in env
    ]


def nats_server(name: str, config: Path, folder: NodeFolder, port: int) -> ChildSpec:
    """A nats-server on a configuration file; ready when clients reach `port`."""
    executable = str(Path(sys.executable).with_name("nats-server"))
    command = (executable if Path(executable).exists() else "nats-server", "-c", str(config))
    return ChildSpec(name, command, {}, folder.path / "logs" / f"{name}.log", port=port)


def _broker(folder: NodeFolder, identity: Identity, port: int) -> ChildSpec:
    config = folder.path / "nats" / "server.conf"
    config.touch(mode=0o600)
    config.write_text(
        f'listen: "127.0.0.1:{port}"\n'
        f'server_name: "{identity.node}-{identity.instance}"\n'
        f'jetstream {{ store_dir: "{folder.path / "nats" / "store"}" }}\n'
        f'authorization {{ users: [ {{ user: "{BROKER_USER}", password: "{identity.broker_password}" }} ] }}\n'
    )
    return nats_server("nats-server", config, folder, port)


def _environment(
    name: str, folder: NodeFolder, identity: Identity, running: Running, options: Options
) -> dict[str, str]:
    values = {
        "NODE": identity.node,
        "STORE_URL": options.mongo or f"sqlite:///{folder.path / 'stores'}",
        "DATABASE": f"{name}_{identity.instance}" if options.mongo else name,
        "NATS_URL": running.nats_url,
        "LISTEN": running.targets[name],
        "DIRECTORY": running.targets.get("directory", _NOBODY),
        "NODE_SECRET": identity.node_secret,
        "SPANS_DIR": str(folder.path / "spans"),
    }
    own = f"{name.upper()}_"
    for key, value in options.settings.items():
        if key.startswith(own):
            values[key.removeprefix(own)] = value
        elif not key.startswith(tuple(f"{other.upper()}_" for other in EVERY)):
            values[key] = value
    if name == "directory":
        values["KEY_PATH"] = str(folder.path / "keys" / "signing.jwk")
    if name == "notification" and options.smtp:
        values["SMTP_URL"] = options.smtp
        values["SENDER"] = SENDER
    if name == "intake":
        values["REVIEW"] = running.targets.get("review", _NOBODY)
    if name == "exchange":
        values |= {other.upper(): running.targets.get(other, _NOBODY) for other in ("intake", "review")}
    return {f"{own}{key}": value for key, value in values.items()}
