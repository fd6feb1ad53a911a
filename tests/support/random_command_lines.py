"""Random command lines: options in any order, with valid and invalid values.

RUN stands for a run, lab.plan for a plan and ids.txt for a file of ids, which the test must provide.
"""

import click
from hypothesis import strategies as st

from falcon_bulk.cli.main import cli
from tests.support.command_tree import commands, options

HASH = "ab" * 32
RUN = "RUN"
TIMES = ["7d", "24h", "5000d", "2026-01-01", "2026-01-01T08:00:00Z", "9999-12-31T23:59:59-23:59"]
VALID_VALUES: dict[str, list[str]] = {
    "--assign-to": ["ann@example.com", "Bo Birch"],
    "--at": ["0 7 * * 1", "*/30 * * * *"],
    "--batch-delay": ["0", "0.0", "1e-9"],
    "--batch-size": ["1", "7", "1000"],
    "--by": ["severity", "name,status", "device.hostname"],
    "--comment": ["Approved tool", "naïve – 見た"],
    "--customer": ["acme"],
    "--customers-dir": ["customers"],
    "--daily": ["07:00", "0:05"],
    "--every": ["30m", "6h"],
    "--expect": ["0", "1", "60"],
    "--fields": ["composite_id", "name,device.hostname"],
    "--filter": ["status:'new'", "severity:>=60", "(status:'new'),(status:'closed')"],
    "--hash": [HASH, HASH.upper(), f"{HASH},{HASH[::-1]}"],
    "--host": ["LAB-*", "*-1"],
    "--ids-file": ["ids.txt", "-"],
    "--override": ["all", "critical", "assigned,in-progress"],
    "--limit": ["1", "10"],
    "--max": ["0", "3", "1000"],
    "--name": ["*a*"],
    "--older-than": ["90d", "0d"],
    "--output": ["out.md", "out.csv", "out.json", "reports"],
    "--plan": ["new.plan"],
    "--plan-ttl": ["24h", "7d"],
    "--product": ["epp", "idp,xdr"],
    "--since": TIMES,
    "--sort": ["severity.asc", "created_timestamp.desc"],
    "--tag": ["triage", "a,b"],
    "--unit-name": ["nightly"],
    "--until": TIMES,
    "--weekly": ["mon 07:00", "Sunday 6:05"],
}
NUMBERS = ["1", "2", "8"]
ARGUMENTS = ["acme", "lab.plan", RUN, "ids.txt", "251124abcdef"]
ODD_VALUES = [
    *("", " ", "-", "--", "---", "=", ",", ",,", "-1", "nan", "inf", "1e400", "9" * 40, "0x10", "1_000", "٣", "½"),
    *("a" * 5000, "x," * 2000, "\n", "\r\n", "\t", "\x1b[2J", "\x9b31m", "\u202e", "\u200b", "\ufeff"),
    *("\udc80", "\udcff", "é", "e\u0301", "漢字", "🦅", "'", '"', "\\", "`id`", "$(id)", "%s%n", "{0}", "[red]", "[/]"),
    *("x'+platform_name:'Linux", "status:'new'),(name:*", "((", "'", "*:*", "..", "~", "--yes", "--max", "-h", "@x"),
    *("acme,acme", "acme,globex", "acme,", "closed,closed", "2026-02-30", "0001-01-01", "*", "0d", "99999d"),
]
# No process can be given a NUL; a slash could lead out of the folder of the test. U+DC80 and U+DCFF stand for bytes
# that are no UTF-8.
_CHARACTERS = st.characters(exclude_characters="\0/", exclude_categories=("Cs",)) | st.sampled_from("\udc80\udcff")
TEXT = st.text(_CHARACTERS, max_size=30)
VALUES_OF_ALL_OPTIONS = [value for values in VALID_VALUES.values() for value in values]
ANYTHING = st.one_of(st.sampled_from(ODD_VALUES), st.sampled_from([*ARGUMENTS, *VALUES_OF_ALL_OPTIONS]), TEXT)
UNKNOWN_OPTIONS = st.sampled_from([["--no-such-option"], ["-Z"], ["--hsh", HASH], ["--"], ["--secret", "x"], ["-qv"]])

# A valid delay between batches would only make the tests wait.
DELAYS = {"--batch-delay": st.sampled_from(["0", "nan", "inf", "-1", "1e400", "", "x"])}
# These serve until they are stopped; an unknown option keeps them from starting.
ENDLESS = (("emulator", "serve"), ("demo",))
NEEDED = {
    ("close-hash",): ("--hash",),
    ("allow-hash",): ("--hash", "--platform", "--global"),
    ("schedule",): ("--daily",),
}
SHARED = {option.name for option in options(cli)}
HARMLESS = SHARED - {"env_file", "customers", "all_customers", "customer_tag", "customers_dir", "output_format"}
CONSENT = ["--yes", "--max", "1000"]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command line: two of three are mostly valid, and one in four consents to a change."""
    path, command = draw(st.sampled_from(sorted(commands().items(), key=lambda item: item[0])))
    declared = [option for option in options(command) if option.opts[-1] not in ("--help", "--version")]
    own = [option for option in declared if option.name not in SHARED]
    is_valid = draw(st.sampled_from([True, True, False]))
    harmless = [option for option in declared if option.name in HARMLESS]
    chosen = [*_some(draw, own, 4), *_some(draw, harmless, 1)]
    chosen += [
        option
        for option in own
        if (option.required or option.opts[-1] in NEEDED.get(path, ())) and option not in chosen
    ]
    parts = [draw(_valid(option)) for option in chosen]
    parts += [[draw(st.sampled_from(ARGUMENTS))] for param in command.params if isinstance(param, click.Argument)]
    if not is_valid:
        known = [_odd(option) for option in declared]
        odd = st.one_of(
            st.one_of(known) if known else UNKNOWN_OPTIONS, ANYTHING.map(lambda value: [value]), UNKNOWN_OPTIONS
        )
        parts += draw(st.lists(odd, min_size=1, max_size=3))
    if draw(st.integers(0, 3)) == 0 and any("--yes" in option.opts for option in declared):
        parts.append(CONSENT)
    parts = [[word] for word in path] + draw(st.permutations(parts))
    if draw(st.integers(0, 9)) > 0 and path[0] not in ("customers", "schedule"):
        parts.insert(draw(st.sampled_from([0, len(path), len(parts)])), ["--customer", "acme"])
    if draw(st.integers(0, 19)) == 0:
        parts = draw(st.permutations(parts))
    if path in ENDLESS:
        parts.append(["--no-such-option"])
    # Without --quick a probe waits for minutes.
    parts = [[*part, "--quick"] if "--probe" in part else part for part in parts]
    return [word for part in parts for word in part]


def _some(draw: st.DrawFn, declared: list[click.Option], count: int) -> list[click.Option]:
    return draw(st.lists(st.sampled_from(declared), max_size=count, unique=True)) if declared else []


def _valid(option: click.Option) -> st.SearchStrategy[list[str]]:
    name = option.opts[-1]
    if option.is_flag:
        return st.just([name])
    choices = list(option.type.choices) if isinstance(option.type, click.Choice) else NUMBERS
    if isinstance(option.metavar, str) and "|" in option.metavar:
        choices = option.metavar.split("|")
    return st.sampled_from(VALID_VALUES.get(name, choices)).map(
        lambda value: [name, *(value.split() if option.nargs > 1 else [value])]
    )


def _odd(option: click.Option) -> st.SearchStrategy[list[str]]:
    name = option.opts[-1]
    if option.is_flag:
        return st.sampled_from([[name], [name, name], [f"{name}=1"]])
    values = DELAYS.get(name, ANYTHING)
    apart, joined = values.map(lambda value: [name, value]), values.map(lambda value: [f"{name}={value}"])
    return st.one_of(apart, apart, joined, st.just([name]))
