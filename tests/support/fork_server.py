"""Imports all of falcon-bulk, and forks a command for each request on a socket; see `preloaded_command`."""

import atexit
import faulthandler
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import sys
import termios
import threading
from importlib import import_module, reload
from pkgutil import walk_packages
from typing import Any, NoReturn

import sitecustomize

import falcon_bulk

# What commands import when they need it.
SELDOM_NEEDED = (
    *("click._textwrap", "difflib", "dotenv.parser", "encodings.utf_8_sig", "falconpy", "logging", "platformdirs.unix"),
    *("subprocess", "tomlkit", "tqdm", "traceback"),
)


def import_all() -> None:
    """Import every module of falcon-bulk, and what these import when they run."""
    for module in walk_packages(falcon_bulk.__path__, "falcon_bulk."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    for name in SELDOM_NEEDED:
        import_module(name)


def serve(requests: socket.socket) -> dict[str, Any]:
    """Return each request in a process of its own; exit when the other side is gone.

    The process between the two ends at once, so that the command becomes a child of the one that asked.
    """
    while True:
        message, streams, _flags, _address = socket.recv_fds(requests, 1 << 20, 3)
        if not message:
            sys.exit()
        reader, writer = os.pipe()
        between = os.fork()
        if not between:
            if command := os.fork():
                os.write(writer, str(command).encode())
                os._exit(0)
            for target, stream in enumerate(streams):
                os.dup2(stream, target)
            for descriptor in (requests.detach(), reader, writer, *streams):
                os.close(descriptor)
            return dict(json.loads(message))
        os.waitpid(between, 0)
        for stream in (writer, *streams):
            os.close(stream)
        requests.send(os.read(reader, 64))
        os.close(reader)


def become(request: dict[str, Any]) -> None:
    """Take on what `python -m falcon_bulk` would have been started with."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:  # on a terminal, which is to be the one that Ctrl-C comes from
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)
    faulthandler.enable()  # a crash says where it was
    os.chdir(request["cwd"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.path[0] = request["cwd"]
    sys.argv = ["", *request["argv"]]
    reload(sitecustomize)  # what is asked of it in the environment


def exit_at_once(code: int) -> NoReturn:
    """Exit as Python does, but without tidying up every module: that takes longer than most commands."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = 120
    os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, which ends this by closing the socket.
    import_all()
    gc.freeze()
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
    try:
        runpy.run_module("falcon_bulk", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, int):
            exit_at_once(ended.code)
        raise
