"""Finds and reads rule files, and checks what no file alone can tell: ids, customers, and what git has."""

import hashlib
import os
import shlex
import stat
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from falcon_bulk.config.permissions import current_uid, others_can_write
from falcon_bulk.errors import AccessProblem, UsageProblem
from falcon_bulk.model.closing_rule import ClosingRule, InvalidRule, RuleFile, RuleProblem
from falcon_bulk.operations.rules.rule_parser import parse_rules

MAX_BYTES = 8 * 1024 * 1024
GIT_TIMEOUT = 20
"""Seconds that git may take."""

_POSIX = os.name == "posix"

CustomerTags = Mapping[str, frozenset[str]]
"""The tags of each known customer, by its name."""

NO_RULES_HINT = "`falcon-bulk rules draft --help` says how to draft one from alerts; docs/closing-rules.md shows one."


def find_rule_files(paths: Iterable[Path]) -> list[Path]:
    """Return the rule files that paths name: files, and `*.toml` of folders, in order. Raises UsageProblem for none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            files = sorted(path.glob("*.toml"))
            if not files:
                raise UsageProblem(f"There is no rule file (*.toml) in {path}.", NO_RULES_HINT)
            found += files
        elif path.exists():
            found.append(path)
        else:
            raise UsageProblem(f"There are no rules at {path}.", "Name a file or a folder with --rules.")
    return list(dict.fromkeys(found))


def read_rule_files(
    paths: Sequence[Path], today: date, customers: CustomerTags | None = None, *, asks_git: bool = False
) -> list[RuleFile]:
    """Return rule files with their rules and problems.

    today: in UTC. customers: the known customers, None where their files are not at hand. asks_git: whether a file is
    compared with what is committed, where its policy asks for that. Raises AccessProblem for a file that others can
    write, UsageProblem for one that cannot be read.
    """
    files = [parse_rules(path, read_checked(path), today) for path in paths]
    counts = Counter(rule.id for file in files for rule in _all_rules(file) if rule.id)
    checked = [_checked(file, counts, customers) for file in files]
    return [_with_git(file) for file in checked] if asks_git else checked


def read_checked(path: Path) -> bytes:
    """Return the bytes of a rule file that only its owner can write. Raises AccessProblem, UsageProblem."""
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UsageProblem(f"{path} is not a file.", "Name a rule file, or a folder of them.")
            if _POSIX and others_can_write(status, current_uid()):
                raise AccessProblem(
                    f"Others can write {path}: whoever does decides what is closed.",
                    f"chmod go-w {shlex.quote(str(path))}",
                )
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}.", "Check its name and its permissions.") from None
    if len(data) > MAX_BYTES:
        raise UsageProblem(f"{path} has more than {MAX_BYTES // 1024 // 1024} MB.", "Is it a rule file?")
    return data


def _all_rules(file: RuleFile) -> list[ClosingRule | InvalidRule]:
    return [*file.rules, *file.invalid]


def _checked(file: RuleFile, counts: Counter[str], customers: CustomerTags | None) -> RuleFile:
    rules: list[ClosingRule] = []
    invalid, problems = list(file.invalid), list(file.problems)
    for rule in file.rules:
        found = list(_outside_problems(rule, counts, customers))
        problems += found
        if any(problem.fatal for problem in found):
            invalid.append(_invalid(rule))
        else:
            rules.append(rule)
    return msgspec.structs.replace(
        file,
        rules=tuple(rules),
        invalid=tuple(invalid),
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
    )


def _outside_problems(rule: ClosingRule, counts: Counter[str], customers: CustomerTags | None) -> Iterator[RuleProblem]:
    def problem(message: str, *, fatal: bool = True) -> RuleProblem:
        return RuleProblem(path=str(rule.path), line=rule.line, rule=rule.id, message=message, fatal=fatal)

    if counts[rule.id] > 1:
        yield problem(f"the id {rule.id} stands {counts[rule.id]} times in the rule files.")
    if not customers:
        return
    known = {"*", *map(str.casefold, customers)}
    known |= {f"tag:{tag.casefold()}" for tags in customers.values() for tag in tags}
    for entry in rule.customers:
        name = entry.removeprefix("!")
        if name.casefold() in known:
            continue
        kind = f"no customer has the tag {name[4:]}" if name.startswith("tag:") else f"there is no customer {name}"
        if entry.startswith("!"):
            yield problem(f"{kind}, and the rule excludes it: it may be misspelt.")
        else:
            yield problem(f"{kind}.", fatal=False)


def _invalid(rule: ClosingRule) -> InvalidRule:
    return InvalidRule(
        id=rule.id,
        owner=rule.owner,
        ticket=rule.ticket,
        customers=rule.customers,
        expires=rule.expires,
        path=rule.path,
        line=rule.line,
    )


def _with_git(file: RuleFile) -> RuleFile:
    """Return the file with the commit at HEAD; where the policy asks for it, what is not as committed is invalid."""
    commit, committed = _git(file.path, "rev-parse", "HEAD"), None
    if commit is not None and file.clean_git:
        committed = _git(file.path, "cat-file", "blob", f"HEAD:./{file.path.name}")
    file = msgspec.structs.replace(file, commit=(commit or b"").decode(errors="replace").strip())
    if not file.clean_git:
        return file
    if commit is None:
        reason = "git knows no commit of it"
    elif committed is None:
        reason = "it is not committed"
    elif hashlib.sha256(committed).hexdigest() != file.sha256:
        reason = "it differs from what is committed at HEAD"
    else:
        return file
    problem = RuleProblem(
        path=str(file.path),
        line=1,
        rule="",
        message=f"the policy asks for clean-git, and {reason}: its rules are inactive.",
    )
    return msgspec.structs.replace(
        file,
        rules=(),
        invalid=(*file.invalid, *map(_invalid, file.rules)),
        problems=(problem, *file.problems),
        uncommitted=reason,
    )


def _git(path: Path, *arguments: str) -> bytes | None:
    """Return what git prints about the folder of a file, None if it fails or is not installed."""
    try:
        done = subprocess.run(  # noqa: S603 - git alone, with arguments of ours
            ["git", "-C", str(path.parent), *arguments],  # noqa: S607 - the git of the user's PATH
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
