"""Fork commands from a process that has imported them: most of what a short command costs is its imports.

Each command still is a process of its own, with its own memory, streams, folder and environment. What is about the
start itself (imports, what Python reads from the environment) needs `subprocess.Popen`.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FORK_SERVER = Path(__file__).with_name("fork_server.py")
READ_AT_THE_START = ("PYTHON", "TEST_MAX_LATENESS", "COVERAGE_", "LANG", "LC_", "TZ")
"""How the variables begin that decide what a process is before it reaches falcon-bulk."""
PR_SET_CHILD_SUBREAPER = 36


def can_fork(usual: Mapping[str, str], env: Mapping[str, str]) -> bool:
    """Return whether a process that was started with the environment `usual` may fork a command that has `env`."""
    names = {name for name in {**usual, **env} if name.startswith(READ_AT_THE_START)}
    same = all(usual.get(name) == env.get(name) for name in names)
    return same and sys.platform == "linux" and not any(name.startswith("COVERAGE_") for name in names)


class PreloadedCommand(subprocess.Popen[bytes]):
    """A command that is forked. arguments: `[python, "-m", "falcon_bulk", ...]`; keywords are those of Popen."""

    def _execute_child(self, arguments: list[str], *more: Any) -> None:
        """Fork where Popen executes a program; everything else of Popen is as it is."""
        cwd, environment, pipes, start_new_session = more[4], more[5], more[9:15], more[20]
        stdin, _, _, stdout, _, stderr = pipes
        start = {name: value for name, value in environment.items() if name.startswith(READ_AT_THE_START)}
        server = _fork_server(tuple(sorted(start.items())))
        self.pid = server.fork(arguments[3:], cwd, environment, [stdin, stdout, stderr], session=start_new_session)
        self._child_created = True
        self._close_pipe_fds(*pipes)


class ForkServer:
    """A process that has imported the commands and forks them, as children of this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, str(FORK_SERVER), str(theirs.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def close(self) -> None:
        """Have the process end."""
        self._socket.close()
        self._process.wait()

    def fork(
        self, argv: list[str], cwd: Path, env: Mapping[str, str], streams: list[int], *, session: bool = False
    ) -> int:
        """Start a command, and return its process id.

        streams: what it has for 0, 1 and 2. session: it gets a session of its own, in which 0 is its terminal.
        """
        umask = os.umask(0o077)
        os.umask(umask)
        request = {"argv": argv, "cwd": str(cwd), "env": dict(env), "umask": umask, "session": session}
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], streams)
            return int(self._socket.recv(64))


@cache
def _fork_server(environment: tuple[tuple[str, str], ...]) -> ForkServer:
    return ForkServer(dict(environment))
