"""Checks what a rule file says of one rule: its texts, dates, customers and scope."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from falcon_bulk.config.customers import is_customer_name
from falcon_bulk.model.closing_rule import RuleExpect, RuleMatch
from falcon_bulk.operations.rules.toml_table import TomlTable

MAX_TEXT = 500

Problem = tuple[str, str]
"""The key that a problem is about, '' for the whole rule, and what is wrong."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def text_problems(texts: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the id, the persons and the texts of a rule."""
    if texts["id"] and not _ID.fullmatch(texts["id"]):
        yield "id", "id has other characters than letters, digits, '.', '_' and '-', or more than 64."
    if texts["owner"] and texts["owner"].casefold() == texts["reviewer"].casefold():
        yield "reviewer", "reviewer is the owner: somebody else has to review a rule."
    for key, value in texts.items():
        if len(value) > MAX_TEXT:
            yield key, f"{key} has {len(value):,} characters; at most {MAX_TEXT} fit into a comment."


def date_problems(dates: Mapping[str, date | None], life: int, today: date) -> Iterator[Problem]:
    """Yield what is wrong with the dates of a rule. life: days from `reviewed` to `expires` at most; today: in UTC."""
    reviewed, expires, starts = dates["reviewed"], dates["expires"], dates["starts"]
    if reviewed and reviewed > today:
        yield "reviewed", f"reviewed is in the future: {reviewed}, and it is {today} (UTC)."
    if reviewed and expires:
        if expires < reviewed:
            yield "expires", f"expires is before reviewed: {expires}, {reviewed}."
        elif expires - reviewed > timedelta(days=life):
            last = reviewed + timedelta(days=life)
            yield "expires", f"the rule lives longer than {life} days from reviewed on: {last} is the last day."
    if starts and expires and starts > expires:
        yield "starts", f"starts is after expires: {starts}, {expires}."


def customer_problems(customers: tuple[str, ...]) -> Iterator[Problem]:
    """Yield what is wrong with the customers of a rule."""
    if customers and all(entry.startswith("!") for entry in customers):
        yield "customers", 'customers only excludes: say for whom the rule is, such as ["*", "!globex"].'
    for entry in customers:
        name = entry.removeprefix("!")
        if name != "*" and not is_customer_name(name.removeprefix("tag:")):
            yield "customers", f"customers has {entry!r}, which is no customer's name, tag:TAG or *."
        if entry == "!*":
            yield "customers", "customers excludes everybody with '!*'."


def scope_problems(match: RuleMatch, expect: RuleExpect, table: TomlTable) -> Iterator[Problem]:
    """Yield where a rule is wider than anybody can have approved. table: all of the rule."""
    if "match" not in table:
        yield "", "[rule.match] is missing: which alerts is the rule about?"
    elif not (match.sha256 or match.name or match.pattern_id):
        yield "match", "[rule.match] has neither sha256 nor name nor pattern-id."
    elif not match.sha256 and not (expect.path or expect.cmdline or expect.parent or expect.parent_cmdline):
        yield "match", "a rule without sha256 needs path, cmdline or parent in [rule.expect]."
