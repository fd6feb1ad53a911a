"""The client secret from a command, such as one of a password manager, instead of in the clear in the env file."""

import atexit
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from falcon_bulk.config.secret import Secret
from falcon_bulk.errors import AccessProblem
from falcon_bulk.model.clock import POLL_INTERVAL

if TYPE_CHECKING:
    import subprocess

KEY = "FALCON_CLIENT_SECRET_COMMAND"
MAX_SECONDS = 20.0
MAX_BYTES = 64 * 1024
_BY_HAND = "Run it by hand: it must print the secret, in one line, and nothing else."


class CommandSecret(Secret):
    """A secret that a command prints. It is run when the secret is first needed, and once for all who need it.

    customer: whose secret it is. argv: the program and its arguments, which no message shows.
    """

    __slots__ = ("_argv", "_customer")

    def __init__(self, customer: str, argv: tuple[str, ...]) -> None:
        super().__init__("")
        self._customer = customer
        self._argv = argv

    def reveal(self, check: Callable[[], None] = lambda: None) -> str:
        """Return what the command prints. Raises AccessProblem, which names the customer and the program."""
        return _run_once(self._customer, self._argv, check).reveal()

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CommandSecret) and other._argv == self._argv

    def __hash__(self) -> int:
        return hash((CommandSecret, self._argv))


def parse_command(command: str) -> tuple[str, ...]:
    """Return the program and its arguments, as a shell would split them. Raises ValueError if that is not possible."""
    argv = tuple(shlex.split(command, posix=os.name == "posix"))
    if not argv:
        raise ValueError("it is blank")
    return argv


class _Run:
    """One run of a command: its secret, or why there is none."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.outcome: Secret | AccessProblem | None = None


_runs: dict[tuple[str, tuple[str, ...]], _Run] = {}
_runs_lock = threading.Lock()


def _run_once(customer: str, argv: tuple[str, ...], check: Callable[[], None]) -> Secret:
    """Run a command, or wait for the run of another thread, and return its secret.

    Raises AccessProblem, and what `check` raises.
    """
    with _runs_lock:
        run = _runs.setdefault((customer, argv), _Run())
    with run.lock:
        if run.outcome is None:
            try:
                run.outcome = Secret(_secret_of(customer, argv, check))
            except AccessProblem as problem:
                run.outcome = problem
    if isinstance(run.outcome, AccessProblem):
        raise AccessProblem(run.outcome.message, run.outcome.hint)
    return run.outcome


def _secret_of(customer: str, argv: tuple[str, ...], check: Callable[[], None]) -> str:
    """Return the secret that a command prints. Raises AccessProblem, and what `check` raises."""

    def problem(what: str) -> AccessProblem:
        return AccessProblem(f"{customer}: {KEY} ({Path(argv[0]).name}) {what}.", _BY_HAND)

    check()
    command = _Command(argv)
    if not command.finish(check):
        raise problem(f"did not end within {MAX_SECONDS:.0f} seconds")
    if command.error is not None:
        raise problem(f"cannot be run: {getattr(command.error, 'strerror', None) or 'its arguments are invalid'}")
    if len(command.output) > MAX_BYTES:
        raise problem("printed more than a secret")
    if code := command.exit_code:
        raise problem(f"failed with {f'exit code {code}' if code > 0 else f'signal {-code}'}")
    try:
        secret = command.output.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise problem("printed something else than text") from None
    if not secret.strip():
        raise problem("printed nothing")
    if not secret.isprintable():
        raise problem("printed more than one line")
    return secret


class _Command:
    """A command, and what became of it: why it could not be started, or its output, and its exit code if it ended.

    A thread starts and reads it: Ctrl-C interrupts the main thread anywhere, also while a process is being started, and
    a read cannot be given up, while the pipe stays open as long as anything lives that the command started.
    """

    def __init__(self, argv: tuple[str, ...]) -> None:
        self._argv = argv
        self._process: subprocess.Popen[bytes] | None = None
        self._is_over = False
        self._lock = threading.Lock()
        self.error: Exception | None = None
        self.output = b""
        self.exit_code: int | None = None

    def finish(self, check: Callable[[], None]) -> bool:
        """Run it, and return whether it ended by itself in time; it has ended then in any case.

        Raises what `check` raises, which is called while it waits.
        """
        deadline = time.monotonic() + MAX_SECONDS
        thread = threading.Thread(target=self._run, daemon=True)
        atexit.register(self._end)  # another thread than the main one does not see Ctrl-C
        try:
            thread.start()
            while thread.is_alive() and (left := deadline - time.monotonic()) > 0:
                thread.join(min(left, POLL_INTERVAL))
                check()
            return not thread.is_alive()
        finally:
            self._end()
            atexit.unregister(self._end)

    def _run(self) -> None:
        import subprocess  # slow to import, and seldom needed

        try:
            # A session of its own, so that all that it starts can be ended.
            process = subprocess.Popen(  # noqa: S603 - the command of the user's own file, without a shell
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.error = error
            return
        with self._lock:
            self._process = process
            if self._is_over:
                _kill(process)
        assert process.stdout is not None
        with process.stdout:
            self.output = process.stdout.read(MAX_BYTES + 1)
        if len(self.output) <= MAX_BYTES:
            self.exit_code = process.wait()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            if self._process is not None:
                _kill(self._process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a command, and what it started where the system has process groups."""
    if process.poll() is None:
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
