"""Invented detection patterns, programs, hosts and people; no real names."""

import csv
from importlib.resources import files

import msgspec


class Pattern(msgspec.Struct, frozen=True):
    """A detection pattern. `severity_name` is empty if documents of its kind may lack it."""

    kind: str
    pattern_id: int
    name: str
    description: str
    tactic: str
    tactic_id: str
    technique: str
    technique_id: str
    severity: int
    severity_name: str


class Program(msgspec.Struct, frozen=True):
    """A process with its parents, as in endpoint alerts."""

    platform: str
    filename: str
    folder: str
    arguments: str
    parent: str
    grandparent: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def patterns(kind: str) -> list[Pattern]:
    """Return the detection patterns of one kind of alert."""
    return [pattern for pattern in _PATTERNS if pattern.kind == kind]


_PATTERNS = msgspec.convert(_rows("patterns.csv"), list[Pattern], strict=False)
PROGRAMS = msgspec.convert(_rows("programs.csv"), list[Program])

SITES = ("ACC", "BLD", "FIN", "HQ", "LAB", "OPS", "PLT", "RND", "SRV", "WHS")
GIVEN_NAMES = (
    "ada",
    "bo",
    "cleo",
    "dara",
    "eli",
    "femi",
    "gus",
    "hana",
    "ivo",
    "june",
    "kofi",
    "lena",
    "milo",
    "nia",
    "otto",
    "pia",
    "quinn",
    "rosa",
    "sol",
    "tess",
    "uma",
    "vito",
)
SURNAMES = (
    "acre",
    "birch",
    "cobb",
    "dale",
    "elm",
    "frost",
    "grove",
    "heath",
    "ives",
    "lark",
    "marsh",
    "nash",
    "oaks",
    "penn",
    "reed",
    "stone",
    "thorn",
    "vale",
    "webb",
)
OS_VERSIONS = {
    "Windows": ("Windows 11", "Windows 10", "Windows Server 2022"),
    "Mac": ("Sequoia (15)", "Sonoma (14)"),
    "Linux": ("Ubuntu 24.04", "Debian 12"),
}
PLATFORM_IDS = {"Windows": "0", "Mac": "1", "Linux": "3"}

COMMENTS = (
    "Looks like the new installer, asked the owner.",
    "Granted workflow; see the ticket for details.",
    "Known test by the red team.",
    "Confirmed: contained the host, re-imaged.",
    "Same as last week.",
)

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07",
    "[red]not markup[/red] [/]",
    "[link=https://evil.example]click[/link]",
    '=HYPERLINK("https://evil.example","open")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3",
    "\uff1dcmd|' /C calc'!A0",
    "  =1+1",
    "\t=1+1",
    "\r=1+1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png)",
    "[a](javascript:alert(1))",
    "| a | b |\n|---|---|",
    "`rm -rf /` **bold** _x_",
    "invoice\u202efdp.exe",
    "\u2066hidden\u2069\u200b",
    "\x00nul\x08back\x7fdel",
    "\x9b31mC1",
    "line one\nline two\r\n",
    "'; DROP TABLE alerts; --",
    "x'+status:'closed",
    'back\\slash and "quotes"',
    "\u2028separator\u2029",
    "\U0001f600" * 20,
    "../../../../etc/passwd",
    "%s %d {0} ${HOME} $(id)",
    "a" * 600,
    "\ufeffbom",
)
