"""Records what a command does to its environment by a hook in its interpreter, and makes it crash."""

from pathlib import Path

USUAL = Path(__file__).with_name("startup") / "sitecustomize.py"
HOOK = """
import http.client, os, sys

WATCHED = ("subprocess.Popen", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "os.putenv", "os.fork")
TRAIL, CRASH = os.environ.get("TEST_TRAIL"), os.environ.get("TEST_CRASH", "")


def watch(event, args):
    if event in WATCHED:
        with open(TRAIL, "a", encoding="utf-8", errors="backslashreplace") as trail:
            print(event, args, sys.argv, dict(os.environ), file=trail)


def crashing(name, condition):
    former = getattr(http.client.HTTPConnection, name)

    def crash(self, *args, **more):
        if condition(*args):
            raise RuntimeError(f"no way to send {args}")
        return former(self, *args, **more)

    setattr(http.client.HTTPConnection, name, crash)


if TRAIL:  # else this is the process that commands are forked from
    sys.addaudithook(watch)
if CRASH == "login":
    crashing("send", lambda data, *_: b"client_secret=" in data)
if CRASH == "reading":
    crashing("putheader", lambda name, *_: name == "Authorization")
"""


def install_hook(folder: Path, crash: str = "") -> dict[str, str]:
    """Install the hook; return the environment for the command. crash: where it crashes, with the secret at hand.

    "login": when the login's body is sent. "reading": when the token goes into a request.
    """
    place = folder / "hook"
    place.mkdir(exist_ok=True)
    usual = USUAL.read_text(encoding="utf-8")  # Python takes only one of that name
    (place / "sitecustomize.py").write_text(usual + HOOK, encoding="utf-8")
    return {"PYTHONPATH": str(place), "TEST_TRAIL": str(folder / "trail.txt"), "TEST_CRASH": crash}
