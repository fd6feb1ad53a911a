"""Runs allow-hash on a tenant, and looks into its allow-list or changes it as an analyst does in the console."""

import json
from importlib import resources
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from falcon_emulator import Fault
from falcon_emulator.indicators import Draft, Indicator
from tests.support.command import CommandResult, CommandRunner

FIRST, SECOND, THIRD = "ab" * 32, "cd" * 32, "ef" * 32
GROUP, OTHER_GROUP = "1" * 32, "2" * 32
EVERYWHERE = ("--platform", "windows", "--global")
YES = ("--yes", "--max", "500")
SCHEMA = json.loads((resources.files("falcon_bulk") / "schemas" / "allow-1.json").read_text("utf-8"))


class AllowList(CommandRunner):
    """A command runner for the tenant's allow-list."""

    def allow(self, *hashes: str, more: tuple[str, ...] = (*EVERYWHERE, *YES)) -> CommandResult:
        """Run allow-hash with JSON output."""
        return self("allow-hash", "--hash", ",".join(hashes), *more, "--format", "json")

    def indicators(self) -> dict[str, dict[str, Any]]:
        """Return the tenant's indicators by hash."""
        return {one.draft.value: self._document(one) for one in self._all()}

    def plant(self, sha256: str, **fields: Any) -> str:
        """Create an indicator in the console and return its id."""
        usual = {"action": "allow", "platforms": ["windows"], "applied_globally": "host_groups" not in fields}
        draft = Draft(type="sha256", value=sha256, **usual | fields)
        now = self.tenant.clock.now()
        return self.server.call(lambda: self.tenant.indicators.put(self.tenant.cid, draft, "ann", now).id)

    def edit_indicator(self, sha256: str, **fields: Any) -> None:
        """Change an indicator in the console."""
        (one,) = (one for one in self._all() if one.draft.value == sha256)
        draft = msgspec.structs.replace(one.draft, **fields)
        now = self.tenant.clock.now()
        self.server.call(lambda: self.tenant.indicators.put(self.tenant.cid, draft, "bo", now))

    def order_indicator_fault(self, kind: str, *, skip: int = 0, **more: Any) -> None:
        """Order a fault at the IOC endpoints, after `skip` requests to them."""
        fault = Fault(kind=kind, endpoint="indicators", skip=skip, **more)  # type: ignore[arg-type]
        self.server.call(lambda: self.tenant.faults.add(fault))

    def _all(self) -> list[Indicator]:
        return self.server.call(lambda: list(self.tenant.indicators.by_id.values()))

    def _document(self, one: Indicator) -> dict[str, Any]:
        return dict(one.document(self.tenant.clock.now()))


def lookups(hashes: int) -> int:
    """Return how many requests look up hashes without an indicator: all at once, then one by one."""
    return 1 + hashes


def writes(done: CommandResult) -> list[str]:
    """Return the methods of the requests that change indicators."""
    return [request.method for request in done.requests if request.endpoint == "indicators" and request.method != "GET"]


def the_run(done: CommandResult, code: int = 0) -> dict[str, Any]:
    """Assert that the run's document keeps its contract and adds up, and return it."""
    assert done.code == code, done
    document = done.document
    Draft202012Validator(SCHEMA).validate(document)
    assert document["exit_code"] == code
    outcomes = ("created", "deleted", "failed", "drifted", "unknown", "not_sent")
    assert document["planned"] == sum(document[outcome] for outcome in outcomes)
    left_alone = sum(document["skipped"].values()) + sum(document["held"].values())
    assert document["selected"] == document["planned"] + left_alone == len(document["hashes"])
    for outcome in outcomes[:5]:
        assert document[outcome] == sum(entry["outcome"] == outcome for entry in document["hashes"])
    return document
