"""Makes rules of the text of a rule file, and says what is wrong with it: line, rule, and reason."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from falcon_bulk.model.closing_rule import (
    DEFAULT_MAX_LIFE,
    DEFAULT_MAX_PER_RUN,
    RULES_FORMAT,
    ClosingRule,
    InvalidRule,
    RuleClose,
    RuleExpect,
    RuleFile,
    RuleMatch,
    RuleProblem,
)
from falcon_bulk.model.hashes import as_sha256
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution
from falcon_bulk.operations.inputs.ids_file import is_composite_id
from falcon_bulk.operations.rules.globs import glob_problem
from falcon_bulk.operations.rules.rule_checks import customer_problems, date_problems, scope_problems, text_problems
from falcon_bulk.operations.rules.toml_table import TomlTable

LONGEST_LIFE = 366
"""Days from `reviewed` to `expires` at most, whatever the policy says."""
OVERRIDABLE = ("assigned", "in-progress", "no-severity")
"""The guardrails that a rule may override; the others hold whatever a rule says."""
REQUIRED = ("id", "title", "owner", "why", "reviewed", "expires", "customers")
REQUIRABLE = ("ticket", "reviewer")

_TOP = ("format", "policy", "rule")
_POLICY = ("max-life", "require", "clean-git")
_RULE = (
    *("id", "title", "owner", "reviewer", "ticket", "why", "reviewed", "expires", "starts", "revoked"),
    *("customers", "reviewed-alerts", "match", "expect", "close"),
)
_MATCH = tuple(name.replace("_", "-") for name in RuleMatch.__struct_fields__)
_EXPECT = tuple(name.replace("_", "-") for name in RuleExpect.__struct_fields__)
_CLOSE = ("resolution", "max-per-run", "override")
_RESOLUTIONS = (Resolution.FALSE_POSITIVE, Resolution.IGNORED)
_DAYS = re.compile(r"(\d{1,4})d")
_HEADER = re.compile(r"\s*\[\[\s*(?:rule|\"rule\"|'rule')\s*\]\]")
_TOML_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def parse_rules(path: Path, data: bytes, today: date) -> RuleFile:
    """Return the rules of a file's bytes, those that cannot be used, and every problem, in the order of the lines.

    today: in UTC; a rule cannot have been reviewed later. Raises nothing.
    """
    return _Parser(path, data, today).parse()


class _Policy:
    """What every rule of a file must keep. life: days from `reviewed` to `expires` at most."""

    def __init__(self, table: TomlTable, note: "_Noter") -> None:
        self.life = DEFAULT_MAX_LIFE
        if written := table.text("max-life"):
            found = _DAYS.fullmatch(written)
            if not found or not 1 <= int(found[1]) <= LONGEST_LIFE:
                note("max-life", f"max-life is not a number of days from 1d to {LONGEST_LIFE}d, such as 90d.")
            else:
                self.life = int(found[1])
        self.required = table.texts("require")
        for key in self.required:
            if key not in REQUIRABLE and key not in REQUIRED:
                note("require", f"require names {key!r}; it can name {' and '.join(REQUIRABLE)}.")
        self.clean_git = table.flag("clean-git")


class _Noter:
    """Notes problems of one part of the file, with the line of the key that they are about."""

    def __init__(self, parser: "_Parser", rule: str, first: int, end: int) -> None:
        self.fatal = 0
        self._parser, self._rule, self._first, self._end = parser, rule, first, end

    def __call__(self, key: str, message: str) -> None:
        self.fatal += 1
        line = self._parser.line_of(key, self._first, self._end)
        self._parser.problems.append(
            RuleProblem(path=str(self._parser.path), line=line, rule=self._rule, message=message)
        )


class _Parser:
    def __init__(self, path: Path, data: bytes, today: date) -> None:
        self.path = path
        self.problems: list[RuleProblem] = []
        self._data = data
        self._today = today
        self._lines: list[str] = []

    def parse(self) -> RuleFile:
        file = RuleFile(path=self.path, sha256=hashlib.sha256(self._data).hexdigest())
        try:
            source = self._data.decode("utf-8-sig")
            self._lines = source.splitlines()
            document = tomllib.loads(source)
        except UnicodeDecodeError as error:
            line = self._data[: error.start].count(b"\n") + 1
            return self._unreadable(file, line, "this is not UTF-8: save the file as UTF-8.")
        except tomllib.TOMLDecodeError as error:
            return self._unreadable(file, *_toml_problem(str(error), len(self._lines)))
        except RecursionError:
            return self._unreadable(file, 1, "this is nested too deeply.")
        starts = [number for number, line in enumerate(self._lines, 1) if _HEADER.match(line)]
        note = _Noter(self, "", 1, min(starts, default=len(self._lines) + 1))
        top = TomlTable(document, "", _TOP, note)
        if top.text("format") != RULES_FORMAT:
            note("format", f'the file does not begin with format = "{RULES_FORMAT}".')
        policy = _Policy(TomlTable(top.table("policy"), "policy", _POLICY, note), note)
        tables = top.tables("rule")
        if not tables and not note.fatal:
            note("", "the file has no rule: each begins with [[rule]].")
        if len(starts) != len(tables):
            starts = [1] * len(tables)
        ends = [*starts[1:], len(self._lines) + 1][: len(tables)]
        rules: list[ClosingRule] = []
        invalid: list[InvalidRule] = []
        for table, start, end in zip(tables, starts, ends, strict=True):
            rule = self._rule(table, policy, start, end, valid_file=not note.fatal)
            if isinstance(rule, ClosingRule):
                rules.append(rule)
            else:
                invalid.append(rule)
        return RuleFile(
            path=self.path,
            sha256=file.sha256,
            rules=tuple(rules),
            invalid=tuple(invalid),
            problems=tuple(sorted(self.problems, key=lambda problem: problem.line)),
            clean_git=policy.clean_git,
            max_life=policy.life,
        )

    def line_of(self, key: str, first: int, end: int) -> int:
        """Return the line from `first` to `end` that sets a key, else `first`."""
        setting = re.compile(rf"\s*[\[{{,]*\s*[\"']?{re.escape(key)}[\"']?\s*[=\]]") if key else None
        lines = enumerate(self._lines[first - 1 : end - 1], first)
        return next((number for number, line in lines if setting and setting.match(line)), first)

    def _unreadable(self, file: RuleFile, line: int, message: str) -> RuleFile:
        problem = RuleProblem(path=str(self.path), line=line, rule="", message=message)
        return RuleFile(path=self.path, sha256=file.sha256, problems=(problem,))

    def _rule(
        self, values: Mapping[str, Any], policy: _Policy, start: int, end: int, *, valid_file: bool
    ) -> ClosingRule | InvalidRule:
        rule_id = values.get("id") if isinstance(values.get("id"), str) else ""
        note = _Noter(self, str(rule_id or ""), start, end)
        table = TomlTable(values, "rule", _RULE, note)
        texts = {key: table.text(key) for key in ("id", "title", "owner", "reviewer", "ticket", "why")}
        dates = {key: table.date(key) for key in ("reviewed", "expires", "starts", "revoked")}
        customers = table.texts("customers")
        match = self._match(TomlTable(table.table("match"), "rule.match", _MATCH, note), note)
        expect = self._expect(TomlTable(table.table("expect"), "rule.expect", _EXPECT, note), note)
        close = self._close(TomlTable(table.table("close"), "rule.close", _CLOSE, note), note)
        reviewed_alerts = table.texts("reviewed-alerts")
        for key in dict.fromkeys((*REQUIRED, *policy.required)):
            if key not in table:
                note("", f"{key} is missing.")
        for problem_key, message in (
            *text_problems(texts),
            *date_problems(dates, policy.life, self._today),
            *customer_problems(customers),
            *scope_problems(match, expect, table),
        ):
            note(problem_key, message)
        for composite_id in reviewed_alerts:
            if not is_composite_id(composite_id):
                note("reviewed-alerts", f"reviewed-alerts has {composite_id[:80]!r}, which is no composite id.")
        reviewed, expires = dates["reviewed"], dates["expires"]
        if note.fatal or not valid_file or reviewed is None or expires is None:
            return InvalidRule(
                id=texts["id"],
                owner=texts["owner"],
                ticket=texts["ticket"],
                customers=customers,
                expires=expires,
                path=self.path,
                line=start,
            )
        return ClosingRule(
            **texts,
            reviewed=reviewed,
            expires=expires,
            starts=dates["starts"],
            revoked=dates["revoked"],
            customers=customers,
            reviewed_alerts=frozenset(reviewed_alerts),
            match=match,
            expect=expect,
            close=close,
            path=self.path,
            line=start,
        )

    def _match(self, table: TomlTable, note: _Noter) -> RuleMatch:
        hashes = []
        for value in table.texts("sha256"):
            if digest := as_sha256(value.strip()):
                hashes.append(digest)
            else:
                note("sha256", f"{value[:80]!r} is no SHA256: 64 hexadecimal digits, nothing around them.")
        texts = {key: self._globs(table, key, note) for key in _MATCH if key != "sha256"}
        return RuleMatch(sha256=tuple(dict.fromkeys(hashes)), **_fields(texts))

    def _expect(self, table: TomlTable, note: _Noter) -> RuleExpect:
        severity = table.text("max-severity")
        if severity and severity.casefold() not in map(str.casefold, SEVERITY_NAMES):
            known = ", ".join(name.casefold() for name in reversed(SEVERITY_NAMES))
            note("max-severity", f"there is no severity {severity!r}: use {known}.")
        texts = {key: self._globs(table, key, note) for key in _EXPECT if key != "max-severity"}
        return RuleExpect(max_severity=severity.casefold(), **_fields(texts))

    def _close(self, table: TomlTable, note: _Noter) -> RuleClose:
        written = table.text("resolution") or Resolution.FALSE_POSITIVE
        if written not in _RESOLUTIONS:
            note("resolution", f"a rule cannot close as {written!r}: use {' or '.join(_RESOLUTIONS)}.")
            written = Resolution.FALSE_POSITIVE
        overrides = table.texts("override")
        for name in overrides:
            if name not in OVERRIDABLE:
                note("override", f"no rule overrides {name!r}; it may name {', '.join(OVERRIDABLE)}.")
        number = table.number("max-per-run", DEFAULT_MAX_PER_RUN)
        return RuleClose(resolution=Resolution(written), max_per_run=number, overrides=overrides)

    def _globs(self, table: TomlTable, key: str, note: _Noter) -> tuple[str, ...]:
        values = table.texts(key)
        for value in values:
            if problem := glob_problem(key, value):
                note(key, f"{key} {value[:80]!r} {problem}.")
        return tuple(dict.fromkeys(values))


def _fields(texts: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {key.replace("-", "_"): values for key, values in texts.items()}


def _toml_problem(message: str, lines: int) -> tuple[int, str]:
    """Return line and reason of a text that is no TOML."""
    found = _TOML_LINE.search(message)
    line = int(found[1]) if found and found[1] else max(lines, 1)
    reason = message[: found.start()] if found else message
    if "overwrite" in reason or "twice" in reason or "Cannot declare" in reason:
        return line, "a key or table stands twice here; keep one of them."
    if "Unescaped" in reason or "hex value" in reason:
        return line, f"{reason}. Write a path in single quotes: '\\Program Files\\Vendor\\*'."
    if reason.startswith("Illegal character '\\n'"):
        return line, "this is no TOML: a text does not end on its line."
    return line, f"this is no TOML: {reason}."
