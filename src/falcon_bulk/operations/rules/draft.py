"""Drafts a closing rule from alerts: what it is about, and the circumstances that are usual among them."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from falcon_bulk.errors import Refused
from falcon_bulk.model.alert import Alert, text
from falcon_bulk.model.closing_rule import RuleExpect, RuleMatch
from falcon_bulk.model.vocabulary import SEVERITY_NAMES, Resolution
from falcon_bulk.operations.changes.guardrails import is_marked_true_positive
from falcon_bulk.operations.changes.interpreters import is_interpreter
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.rules.alert_facts import AlertFacts
from falcon_bulk.operations.rules.matching import AlertTexts, is_expected, matches
from falcon_bulk.operations.rules.rule_outliers import RuleOutliers
from falcon_bulk.operations.rules.usual_values import RARE, USUAL, single_value, usual_globs

MIN_ALERTS = 2
MAX_ALERTS = 20_000
"""So many alerts at most stand behind a draft; more say nothing else, and take memory."""
MAX_HASHES = 10
"""If the alerts have more hashes than these, a draft is about their names, unless hashes were asked for."""
HIGHEST = SEVERITY_NAMES.index("High")
"""No rule closes a critical alert, so no draft expects one."""

_TEXTS = ("path", "parent", "user", "cmdline", "tactic", "technique")
_SCOPE = ("path", "filename", "cmdline")
"""At least one of these has to be usual: of a file that is somewhere else each time nothing steady can be said."""


class Drafted(NamedTuple):
    """What is drafted, and what stands behind it.

    resolution: the one that most of the alerts got, else false_positive. varying: keys of `expect` that are left out.
    alerts: those that the rule's match fits; fitted: of them, those that it would close by its circumstances.
    outliers: alerts unlike the others, which were left out; outlier_check: why that could not be judged, else ''.
    name: of the file, '' if there is none; title: of the alerts. not_read: whether there were more than MAX_ALERTS.
    """

    match: RuleMatch
    expect: RuleExpect
    resolution: Resolution
    varying: tuple[str, ...]
    alerts: int
    fitted: int
    outliers: int
    outlier_check: str
    title: str
    name: str
    not_read: bool


class _Basis(NamedTuple):
    """An alert behind a draft. resolution: as given to it, '' if none was."""

    alert: Alert
    facts: AlertFacts
    resolution: str


class RuleDrafter:
    """Collects alerts and drafts a rule from them.

    hashes: those that the rule is to be about; without any the alerts decide.
    """

    def __init__(self, hashes: Collection[str] = ()) -> None:
        self._hashes = tuple(hashes)
        self._basis: list[_Basis] = []
        self._true_positives: list[AlertFacts] = []
        self._not_read = False
        self.alerts = 0

    def read(self, page: Iterable[AlertDocument[Alert]]) -> None:
        """Take the alerts of a page."""
        for item in page:
            self.alerts += 1
            if is_marked_true_positive(item.alert):
                self._true_positives.append(AlertFacts.of(item.alert, item.own_hashes.keys()))
            elif len(self._basis) < MAX_ALERTS:
                facts = AlertFacts.of(item.alert, item.own_hashes.keys())
                self._basis.append(_Basis(item.alert, facts, text(item.alert.resolution)))
            else:
                self._not_read = True

    def draft(self) -> Drafted:
        """Return the rule. Raises Refused if the alerts are too few, a true positive fits, or nothing is steady."""
        self._check_number(len(self._basis), "selected")
        match = self._match()
        basis = [sample for sample in self._basis if matches(match, AlertTexts(sample.facts))]
        self._check_number(len(basis), "what the rule would be about")
        usual, outliers, why_not_judged = _without_outliers(basis)
        facts = [sample.facts for sample in usual]
        expect, varying = _expect(facts)
        if not any(getattr(expect, name) for name in _SCOPE):
            raise _refused(
                f"no path, file name or command line is usual among these {len(basis):,} alerts",
                "Narrow the selection to one program: `falcon-bulk summary --outliers` shows what varies.",
            )
        if not match.sha256 and not (expect.path or expect.cmdline or expect.parent):
            raise _refused(
                "without a hash it needs a path, a command line or a parent, and none is usual",
                "Narrow the selection to one program: `falcon-bulk summary --outliers` shows what varies.",
            )
        if not expect.cmdline and sum(alert_facts.is_interpreter for alert_facts in facts) > (1 - USUAL) * len(facts):
            raise _refused(
                f"{_name(usual) or 'the file'} runs other people's code, and no command line is usual",
                "Narrow the selection to what it runs, for example with --filter on cmdline.",
            )
        for true_positive in self._true_positives:
            check_true_positive(match, expect, true_positive)
        return Drafted(
            match=match,
            expect=expect,
            resolution=_resolution(usual),
            varying=varying,
            alerts=len(basis),
            fitted=sum(is_expected(expect, AlertTexts(sample.facts)) for sample in basis),
            outliers=outliers,
            outlier_check=why_not_judged,
            title=Counter(sample.facts.name for sample in usual).most_common(1)[0][0],
            name=_name(usual),
            not_read=self._not_read,
        )

    def _check_number(self, number: int, which: str) -> None:
        if number < MIN_ALERTS:
            raise _refused(
                f"it takes at least {MIN_ALERTS} alerts that are no true positive; {which}: {number:,}",
                "Select more of them, for example by their hash: --hash SHA256.",
            )

    def _match(self) -> RuleMatch:
        """Return which alerts the rule is about: their hashes, else their names and product."""
        facts = [sample.facts for sample in self._basis]
        if self._hashes:
            return RuleMatch(sha256=self._hashes)
        hashes = Counter(digest for alert_facts in facts for digest in alert_facts.sha256)
        if len(hashes) <= MAX_HASHES and sum(bool(alert_facts.sha256) for alert_facts in facts) >= USUAL * len(facts):
            return RuleMatch(sha256=tuple(digest for digest, _ in hashes.most_common()))
        if names := usual_globs([alert_facts.name for alert_facts in facts], "name"):
            return RuleMatch(name=names, product=single_value([alert_facts.product for alert_facts in facts]))
        raise _refused(
            f"these {len(facts):,} alerts have {len(hashes):,} hashes, and no usual name",
            "Draft a rule for one of them: `falcon-bulk hash-summary` counts them, --hash SHA256 selects one.",
        )


def check_true_positive(match: RuleMatch, expect: RuleExpect, facts: AlertFacts) -> None:
    """Raise Refused if a true positive fits a draft: its match or, for one without hashes, all of it."""
    texts = AlertTexts(facts)
    if matches(match, texts) and (match.sha256 or is_expected(expect, texts)):
        raise _refused(
            f"the true positive {facts.composite_id} fits it",
            f"Look at it first: `falcon-bulk query --filter \"composite_id:'{facts.composite_id}'\"` at its customer.",
        )


def _refused(reason: str, hint: str) -> Refused:
    return Refused(f"No rule can be drafted: {reason}.", hint)


def _without_outliers(basis: Sequence[_Basis]) -> tuple[list[_Basis], int, str]:
    """Return the alerts that are like the others, how many are not, and why that could not be judged."""
    group = RuleOutliers(())
    for sample in basis:
        group.add(sample.alert)
    usual = [sample for sample in basis if not group.is_outlier(sample.alert)]
    return usual, len(basis) - len(usual), group.why_not_judged


def _expect(facts: Sequence[AlertFacts]) -> tuple[RuleExpect, tuple[str, ...]]:
    """Return the usual circumstances, and the keys of those that vary."""
    found: dict[str, tuple[str, ...]] = {name: usual_globs(_values(facts, name), name) for name in _TEXTS}
    if not found["path"]:
        found["filename"] = usual_globs(_values(facts, "filename"), "filename")
    if found["parent"] and all(map(is_interpreter, found["parent"])):
        found["parent_cmdline"] = usual_globs(_values(facts, "parent_cmdline"), "parent_cmdline")
    found["disposition"] = usual_globs(
        [next(iter(alert_facts.disposition), "") for alert_facts in facts], "disposition"
    )
    found["host"] = single_value([alert_facts.hosts[0] if len(alert_facts.hosts) == 1 else "" for alert_facts in facts])
    severity = _max_severity(facts)
    varying = [name.replace("_", "-") for name, globs in found.items() if not globs and _has(facts, name)]
    return RuleExpect(**found, max_severity=severity), (*varying, *(() if severity else ("max-severity",)))


def _values(facts: Sequence[AlertFacts], name: str) -> list[str]:
    return [getattr(alert_facts, name) for alert_facts in facts]


def _has(facts: Sequence[AlertFacts], name: str) -> bool:
    field = "hosts" if name == "host" else name
    return any(getattr(alert_facts, field) for alert_facts in facts)


def _max_severity(facts: Sequence[AlertFacts]) -> str:
    """Return the worst usual severity in lower case; '' if nine in ten alerts are not at or below it."""
    counts = Counter(alert_facts.severity for alert_facts in facts if alert_facts.severity is not None)
    names = SEVERITY_NAMES[::-1]
    usual = [level for level, number in counts.items() if number >= max(2, RARE * len(facts))]
    worst = min(max(usual, default=-1), len(names) - 1 - HIGHEST)
    if sum(number for level, number in counts.items() if level <= worst) < USUAL * len(facts):
        return ""
    return names[worst].casefold()


def _resolution(basis: Sequence[_Basis]) -> Resolution:
    given = Counter(sample.resolution for sample in basis)
    ignored, false = given[Resolution.IGNORED], given[Resolution.FALSE_POSITIVE]
    return Resolution.IGNORED if ignored > false else Resolution.FALSE_POSITIVE


def _name(basis: Sequence[_Basis]) -> str:
    """Return the most frequent file name, '' if the alerts have none."""
    names = Counter(name for sample in basis if (name := sample.facts.filename))
    return names.most_common(1)[0][0] if names else ""
