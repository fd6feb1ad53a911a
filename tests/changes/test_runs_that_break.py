"""Runs of the installed command that break in the middle: by an error that nobody foresaw, or without their journal."""

import os
import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.command import serve_customers
from tests.support.dripping_server import TOKEN

BROKEN = """
from falcon_bulk.operations.changes import alert_target

def reconcile(self, *arguments, **more):
    raise RuntimeError("nobody foresaw this")

alert_target.AlertTarget.reconcile = reconcile
"""


def test_an_unexpected_error_is_the_recorded_end_of_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=300) as shell:
        ids = shell.untouched_ids(20)
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "sitecustomize.py").write_text(BROKEN)
        path = os.pathsep.join([str(tmp_path / "broken"), shell.environment()["PYTHONPATH"]])
        done = shell(*shell.close_command(ids), env={"PYTHONPATH": path})
        assert done.code in (1, 6), done
        assert "The run stopped: unexpected RuntimeError." in done.err
        run = done.document["run_id"]
        assert f"falcon-bulk resume {run} --customer acme" in done.err
        assert "Traceback" not in done.err
        (row,) = shell("runs", "--format", "json").document["runs"]
        assert row["status"] == "unfinished"
        shell.max_lateness = 3.0
        resumed = shell("resume", "--format", "json")
        assert (resumed.code, resumed.document["changed"]) == (0, 20), resumed
        assert shell.comment_counts(ids, run) == [1]


@pytest.mark.slow
def test_a_state_folder_that_vanishes_ends_the_run(tmp_path: Path) -> None:
    with serve_customers(tmp_path, alerts=600) as shell:
        ids = shell.untouched_ids(60)
        with shell.running(*shell.close_command(ids, "--batch-size", "10", "--batch-delay", "2")) as running:
            shell.wait_for_recorded_changes(10, running)
            shutil.rmtree(shell.state)
            done = running.finish()
        assert done.code not in (0, None), done
        assert "Error: " in done.err
        assert "Traceback" not in done.err
        assert shell.closed_count(ids) <= 20, "nothing is sent that cannot be recorded"


HOSTILE_HEADERS = {
    "Date": "Mon, 01 Jan 99999 00:00:00 GMT",
    "X-RateLimit-Limit": "9" * 400,
    "X-RateLimit-Remaining": "-" + "9" * 400,
    "X-RateLimit-RetryAfter": "1" + "0" * 400,
    "X-Cs-Traceid": "\x1b[31mred",
}


class HostileFalcon(BaseHTTPRequestHandler):
    """Logs in, and answers everything else with odd headers around JSON that is nested without an end."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        login = self.path.startswith("/oauth2/")
        content = TOKEN if login else b'{"resources":' + b"[" * 200_000
        self.send_response_only(201 if login else 200)
        for name, value in HOSTILE_HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 - names that http.server looks up

    def log_message(self, *_: object) -> None: ...


@pytest.mark.slow
def test_an_answer_without_measure_is_an_error_and_no_crash(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), HostileFalcon)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with serve_customers(tmp_path, alerts=10) as shell:
            shell.write_customer("acme", FALCON_BASE_URL=f"http://127.0.0.1:{server.server_address[1]}")
            for argv in (("query", "--count"), ("hash-summary",), ("bulk-close", "--severity", "low", "--dry-run")):
                done = shell(*argv)
                assert done.code in (4, 5), done
                assert "Traceback" not in done.err
                assert "\x1b" not in done.err
    finally:
        server.shutdown()
        server.server_close()
