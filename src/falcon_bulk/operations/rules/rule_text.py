"""Writes a drafted rule as the text of a rule file, and adds it to one."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from falcon_bulk.atomic_file import write_atomically
from falcon_bulk.errors import Refused
from falcon_bulk.model.closing_rule import RULES_FORMAT, ClosingRule, RuleClose
from falcon_bulk.operations.rules.draft import Drafted
from falcon_bulk.operations.rules.rule_files import read_checked
from falcon_bulk.operations.rules.rule_parser import parse_rules
from falcon_bulk.textsafe import printable

TO_FILL_IN = ("owner", "reviewer", "ticket", "why")
LIFE = 90
"""Days that a draft gives a rule, if the policy of its file allows them."""
HEADER = f'format = "{RULES_FORMAT}"\n\n'
MAX_TITLE = 120
MAX_ID = 40


def drafted_rule(drafted: Drafted, taken: Collection[str], customers: tuple[str, ...], today: date) -> ClosingRule:
    """Return a draft as a rule, without what a person has to fill in. taken: ids of other rules. today: in UTC."""
    title = f"{drafted.title}: {drafted.name}" if drafted.title and drafted.name else drafted.title or drafted.name
    return ClosingRule(
        id=_free_id(drafted.name or drafted.title, taken),
        title=" ".join(printable(title).split())[:MAX_TITLE] or "Drafted rule",
        owner="",
        reviewer="",
        ticket="",
        why="",
        reviewed=today,
        expires=today + timedelta(days=LIFE),
        customers=customers,
        match=drafted.match,
        expect=drafted.expect,
        close=RuleClose(resolution=drafted.resolution),
        path=Path(),
    )


def rule_toml(rule: ClosingRule, comments: Iterable[str]) -> str:
    """Return a drafted rule as TOML, with comments before it."""
    lines = [*(f"# {printable(comment)}" for comment in comments), "[[rule]]"]
    lines += [f"id = {_toml(rule.id)}", f"title = {_toml(rule.title)}"]
    lines += [f'{key} = ""' for key in TO_FILL_IN]
    lines += [f"reviewed = {rule.reviewed}", f"expires = {rule.expires}", f"customers = {_toml(rule.customers)}"]
    for name, table in (("match", rule.match), ("expect", rule.expect)):
        lines += ["", f"[rule.{name}]", *_entries(table)]
    lines += ["", "[rule.close]", f"resolution = {_toml(str(rule.close.resolution))}"]
    return "\n".join(lines) + "\n"


def append_rule(path: Path, rule: ClosingRule, comments: Iterable[str]) -> ClosingRule:
    """Add a drafted rule to a rule file, of which nothing else changes, or begin the file; return the rule as written.

    It ends no later than the file's policy allows. Raises Refused for a file that is no rule file, and what
    `read_checked` and `write_atomically` raise.
    """
    if not path.exists():
        with write_atomically(path) as file:
            file.write((HEADER + rule_toml(rule, comments)).encode())
        return rule
    data = read_checked(path)
    life = parse_rules(path, data, rule.reviewed).max_life
    try:
        before = data.decode("utf-8-sig")
        content = tomllib.loads(before)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        content = {}
    if content.get("format") != RULES_FORMAT:
        raise Refused(f"{path} is no rule file: nothing was added.", f"falcon-bulk rules lint {path}")
    rule = msgspec.structs.replace(rule, expires=min(rule.expires, rule.reviewed + timedelta(days=life)))
    break_ = "\r\n" if "\r\n" in before else "\n"
    added = rule_toml(rule, comments).replace("\n", break_)
    gap = ("" if before.endswith("\n") else break_) + break_
    _check_only_added(path, content, before + gap + added)
    with write_atomically(path) as file:
        file.write(data + (gap + added).encode())
    return rule


def _check_only_added(path: Path, content: dict[str, Any], after: str) -> None:
    """Raise Refused unless a text is a file's content and one rule more."""
    try:
        *others, _added = tomllib.loads(after)["rule"]
        same = others == content.get("rule", [])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        same = False
    if not same:
        raise Refused(
            f"A rule cannot be added to the end of {path}.",
            "Write its rules as [[rule]], or leave out --append and paste the draft where it belongs.",
        )


def _entries(table: msgspec.Struct) -> Iterator[str]:
    for name in table.__struct_fields__:
        if value := getattr(table, name):
            yield f"{name.replace('_', '-')} = {_toml(value)}"


def _toml(value: str | tuple[str, ...]) -> str:
    """Return a text or a list as TOML: in single quotes where a backslash or a quote stands in it."""
    if not isinstance(value, str):
        return f"[{', '.join(map(_toml, value))}]"
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    if value.isprintable() and "'" not in value:
        return f"'{value}'"
    import tomlkit

    return tomlkit.string(value).as_string()


def _free_id(name: str, taken: Collection[str]) -> str:
    """Return an id made of a file's or an alert's name that no other rule has."""
    stem = re.sub(r"\.(?:exe|com|dll|sys|ps1|bat|cmd|msi)$", "", name.casefold())
    base = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:MAX_ID].strip("-") or "drafted"
    number, free = 2, base
    while free in taken:
        free, number = f"{base}-{number}", number + 1
    return free
