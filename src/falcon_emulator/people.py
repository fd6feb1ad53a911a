"""A person and the process trees they started, as documents show them."""

import random
import uuid

from falcon_emulator.alert_records import Fields, Fragment
from falcon_emulator.catalog import GIVEN_NAMES, SURNAMES, Program
from falcon_emulator.seeded_random import seeded


class Person:
    """A person's fragments. `text`, if set, replaces the user name and command lines with hostile text."""

    def __init__(self, rng: random.Random, text: str = "") -> None:
        self.rng = rng
        self.text = text
        self.name = text or f"{rng.choice(GIVEN_NAMES)}.{rng.choice(SURNAMES)}"
        self.sid = f"S-1-5-21-{rng.getrandbits(32)}-{rng.getrandbits(32)}-{rng.randrange(1000, 9999)}"

    def named(self) -> Fragment:
        """Return the person by name only."""
        return Fragment({"user_name": self.name, "user_names": [self.name]})

    def account(self) -> Fragment:
        """Return the account as in identity alerts."""
        return Fragment(
            {
                "user_name": self.name,
                "source_account_name": self.name,
                "source_account_domain": "example.com",
                "source_account_object_guid": f"{uuid.UUID(int=seeded(self.name).getrandbits(128))}",
                "source_account_upn": f"{self.name}@example.com",
            }
        )

    def running(self, program: Program) -> Fragment:
        """Return a process tree; parent and grandparent have the hashes of harmless system programs."""
        slash = "\\" if program.platform == "Windows" else "/"
        folder = program.folder + slash
        filename = self.text or program.filename
        owner = {"user_id": self.sid, "user_name": self.name}
        disposition = "[MOD] The disposition for the detection: no preventative action was taken"
        return Fragment(
            {
                **owner,
                "alleged_filetype": "exe",
                "cmdline": self.text or f"{folder}{filename} {program.arguments}",
                "filename": filename,
                "filepath": folder + filename,
                "files_written": [
                    {"filename": "~cache.tmp", "filepath": folder, "timestamp": "1767999614"},
                ],
                "logon_domain": "EXAMPLE",
                "pattern_disposition": 0,
                "pattern_disposition_description": "Detection, standard detection.",
                "platform": program.platform,
                "priority_explanation": [
                    disposition,
                    f"[MOD] The parent process was identified as: {program.parent}",
                ],
                "priority_value": 10,
                "user_principal": f"{self.name}@example.com",
                "parent_details": self._ancestor(program.parent, folder) | owner,
                "grandparent_details": self._ancestor(program.grandparent, folder) | owner,
            }
        )

    def _ancestor(self, filename: str, folder: str) -> Fields:
        """Return a parent process; the same program always has the same hash."""
        digest = seeded(filename)
        process = self.rng.getrandbits(48)
        return {
            "cmdline": folder + filename,
            "filename": filename,
            "filepath": folder + filename,
            "local_process_id": str(process % 30_000),
            "md5": f"{digest.getrandbits(128):032x}",
            "process_graph_id": f"pid:{self.rng.getrandbits(128):032x}:{process}",
            "process_id": str(process),
            "sha256": f"{digest.getrandbits(256):064x}",
            "timestamp": "2026-01-10T17:15:02Z",
        }
