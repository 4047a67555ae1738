"""Runs the `sangkien` command in processes forked from one that has imported it.

Each command is a process of its own with the arguments, environment and folder it is given, and runs the command's own
entry point; what it does not do again is import, which is most of the time of a short one.

`python -m sangkien.testkit.forked_command SOCKET` serves until its stdin ends. A request is one line of JSON:
`argv`, `env`, `cwd`, and the files `stdout` and `stderr` to write to; the answer is the exit status and a line feed.
"""

import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import sys
from typing import Any, NoReturn


def main() -> None:
    """Serve. Returns in the server when stdin ends, and in each command's own process when the command has ended."""
    command = importlib.import_module("sangkien.console.__main__")
    for package in ("sangkien.console.commands", "sangkien.console.node"):
        found = importlib.import_module(package)
        for module in pkgutil.iter_modules(found.__path__, f"{package}."):
            if not module.name.endswith((".together", "__main__")):
                importlib.import_module(module.name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        while not any(key.fileobj is sys.stdin for key, _ in ready.select()):
            connection, _ = listener.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                request = json.loads(connection.makefile().readline())
                pid = os.fork()
                if pid:
                    _answer(connection, pid)
                for each in (connection, listener):
                    each.close()
                _become(request, str(command.__file__))
                command.main()
                return
            connection.close()


def _answer(connection: socket.socket, pid: int) -> NoReturn:
    _, status = os.waitpid(pid, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request: dict[str, Any], program: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for source, target in ((os.devnull, 0), (request["stdout"], 1), (request["stderr"], 2)):
        opened = os.open(source, flags if target else os.O_RDONLY, 0o600)
        os.dup2(opened, target)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.argv = [program, *request["argv"]]


if __name__ == "__main__":
    main()
