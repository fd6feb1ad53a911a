"""The tables of a customer's report: key figures, decisions, the most frequent alerts, what is open and what recurs."""

from collections.abc import Sequence

from falcon_bulk.model.period_report import (
    ClosedAs,
    FalsePositiveRate,
    FrequentHash,
    FrequentValue,
    OwnWork,
    PeriodCounts,
    PeriodReport,
    Proposal,
    Recurring,
    ReportedRun,
    RuleClosings,
    StillOpen,
)
from falcon_bulk.model.plural import counted
from falcon_bulk.report.chart import Chart
from falcon_bulk.report.sheet import Column, Row, Sheet, format_cell, hash_column
from falcon_bulk.report.times import describe_period, readable_duration, readable_time

PROPOSALS = {
    Proposal.CLOSING_RULE: "All that were decided were false positives or ignored. We propose a rule that closes them.",
    Proposal.NARROW_RULE: "All that were decided were false positives or ignored. The file runs other programs, so we "
    "propose a rule for the alert's name and hosts, not for the file.",
    Proposal.FIND_CAUSE: "All that were decided were true positives. We propose to look for the cause.",
    Proposal.REVIEW: "Some were true positives and some were not. We propose to review them one by one.",
    Proposal.DECIDE: "Too few were decided to tell. We propose to decide them together.",
}
_HELD_BECAUSE = {
    "critical": "critical severity",
    "no-severity": "no severity",
    "overwatch": "found by CrowdStrike's threat hunters",
    "falcon-complete": "handled by CrowdStrike (Falcon Complete)",
    "true-positive": "resolved as a true positive",
    "case": "part of a case",
    "assigned": "assigned to somebody",
    "in-progress": "somebody works on it",
    "reopened": "somebody reopened it",
    "closed": "closed already",
    "other-hashes": "about other files too",
    "closed-before": "closed once, and came back",
    "suspended": "a true positive contradicts the closing rule",
    "differs": "other circumstances than the closing rule expects",
    "surge": "far more than the closing rule usually closes",
    "outlier": "unlike the others that the closing rule closes",
}
_OUTCOME_COLUMNS = (
    Column("open", right=True, min_width=6),
    Column("false positive", right=True, min_width=14),
    Column("true positive", right=True, min_width=13),
    Column("ignored", right=True, min_width=7, drop_order=1),
    Column("no resolution", right=True, min_width=13, drop_order=2),
)
_DECISION_COLUMNS = (Column("outcome", min_width=14), Column("alerts", right=True), Column("share", right=True))
OUTCOMES = ("Still open", "False positive", "True positive", "Ignored", "No resolution")


def period_sheets(report: PeriodReport) -> list[Sheet]:
    """Return the key figures, what was decided, what was frequent, is open and recurs, and what the journals have."""
    counts, journal = report.counts, report.journal
    figures = (Column("figure", min_width=20), Column("value", wrap=True))
    if counts.created:
        sheets = [Sheet(period_headline(report), figures, _figures(counts)), *_alert_sheets(counts)]
    else:
        sheets = [Sheet(period_headline(report), (), (), ["No alert was created in this period."])]
    sheets.append(_own_work(journal.ours))
    if journal.by_rule:
        sheets.append(_by_rule(journal.by_rule))
    held = (Column("alerts", right=True), Column("held back because", wrap=True))
    rows = [(number, _HELD_BECAUSE.get(name, name)) for name, number in journal.held.items()]
    sheets.append(_table("What runs held back", held, rows))
    if journal.runs:
        sheets.append(_runs(journal.runs))
    return sheets


def _alert_sheets(counts: PeriodCounts) -> list[Sheet]:
    return [
        Sheet("What was decided", _DECISION_COLUMNS, _decisions(counts)),
        _frequent("The most frequent alerts", Column("name", min_width=20, wrap=True), counts.names),
        _frequent("The hosts with the most alerts", Column("host", min_width=20, whole=True), counts.hosts),
        _hashes(counts.hashes),
        _table("Still open, by age", (Column("age"), Column("alerts", right=True)), _ages(counts.open)),
        _recurring_sheet(counts.recurring),
    ]


def period_headline(report: PeriodReport) -> str:
    alerts = counted(report.counts.created, "alert")
    return f"{report.customer}, {described_days(report)}: {alerts}, as of {readable_time(report.as_of)} UTC"


def described_days(report: PeriodReport) -> str:
    return describe_period(report.period.since, report.period.until, report.as_of)


def _table(title: str, columns: Sequence[Column], rows: Sequence[Row], notes: Sequence[str] = ()) -> Sheet:
    """Return a sheet of the rows; without any, a sentence that there are none."""
    return Sheet(title, columns, rows, notes) if rows else Sheet(title, (), (), ["None in this period."])


def _figures(counts: PeriodCounts) -> list[Row]:
    closed, seconds = counts.by_resolution, counts.resolution_seconds
    have = f"of {format_cell(seconds.alerts)} closed alerts for which Falcon recorded it"
    median, p90 = (
        f"{readable_duration(value)} ({have})" if value is not None else "not recorded by Falcon for any closed alert"
        for value in (seconds.median, seconds.p90)
    )
    return [
        ("Alerts created", format_cell(counts.created)),
        ("Closed", f"{format_cell(closed.total)} ({closed.total / counts.created:.1%})"),
        ("Still open", f"{format_cell(counts.open.alerts)} ({counts.open.alerts / counts.created:.1%})"),
        ("False-positive rate", _rate(counts.false_positive_rate)),
        ("Ignored", f"{format_cell(closed.ignored)}, not part of the rate"),
        ("Time to resolution, median", median),
        ("Time to resolution, 90th percentile", p90),
    ]


def _rate(rate: FalsePositiveRate) -> str:
    if rate.rate is None:
        return "none: no alert was closed as a false or true positive"
    false, true = format_cell(rate.false_positive), format_cell(rate.true_positive)
    return f"{rate.rate:.1%}: {false} false and {true} true positives"


def outcome_numbers(open_alerts: int, closed_as: ClosedAs) -> tuple[int, int, int, int, int]:
    return open_alerts, closed_as.false_positive, closed_as.true_positive, closed_as.ignored, closed_as.none


def _decisions(counts: PeriodCounts) -> list[Row]:
    numbers = outcome_numbers(counts.open.alerts, counts.by_resolution)
    return [(name, number, f"{number / counts.created:.1%}") for name, number in zip(OUTCOMES, numbers, strict=True)]


def _frequent(title: str, column: Column, values: Sequence[FrequentValue]) -> Sheet:
    columns = (column, Column("alerts", right=True, min_width=6), *_OUTCOME_COLUMNS)
    rows = [(counted.value, counted.alerts, *outcome_numbers(counted.open, counted.closed_as)) for counted in values]
    return _table(title, columns, rows)


def _hashes(hashes: Sequence[FrequentHash]) -> Sheet:
    columns = (
        hash_column("sha256"),
        Column("file name", min_width=18, wrap=True),
        Column("alerts", right=True, min_width=6),
        *_OUTCOME_COLUMNS,
    )
    rows = [(file.sha256, file.filename, file.alerts, *outcome_numbers(file.open, file.closed_as)) for file in hashes]
    return _table("The most frequent files", columns, rows)


def _ages(still_open: StillOpen) -> list[Row]:
    if not still_open.alerts:
        return []
    by_age = still_open.by_age
    return [
        ("under 1 day", by_age.under_1_day),
        ("1 to 7 days", by_age.under_7_days),
        ("7 to 30 days", by_age.under_30_days),
        ("30 days or more", by_age.older),
    ]


def _recurring_sheet(recurring: Sequence[Recurring]) -> Sheet:
    columns = (
        Column("alert", min_width=20, wrap=True),
        Column("file name", min_width=18, wrap=True, drop_order=1),
        hash_column("sha256", drop_order=2),
        Column("alerts", right=True, min_width=6),
        Column("days", right=True, min_width=4),
        Column("hosts", right=True, min_width=5),
        Column("what we propose", wrap=True, min_width=24),
    )
    rows = [
        (group.name, group.filename, group.sha256, group.alerts, group.days, group.hosts, _proposal(group))
        for group in recurring
    ]
    return _table("What recurs, and what we propose", columns, rows)


def _proposal(group: Recurring) -> str:
    """Return what became of alerts that recur, and what to do about them."""
    numbers = zip(OUTCOMES, outcome_numbers(group.open, group.closed_as), strict=True)
    listed = ", ".join(f"{name.lower()} {format_cell(number)}" for name, number in numbers if number)
    return f"{listed[:1].upper()}{listed[1:]}. {PROPOSALS[group.proposal]}"


def chart_sheet(chart: Chart, label: str) -> Sheet:
    """Return a chart's numbers as a table, for formats without charts. label: the title of the bars' labels."""
    alerts = Column("alerts", right=True, bar=True)
    if chart.step:
        rows: list[Row] = [(bar.label, bar.number) for bar in chart.bars if bar.number]
        return Sheet(chart.title, (Column(label), alerts), rows, [chart.note] if chart.note else [])
    rows = [(bar.label, bar.number, f"{bar.number / chart.total:.1%}") for bar in chart.bars]
    return Sheet(chart.title, (Column(label, wrap=True), alerts, Column("share", right=True)), rows)


def _own_work(ours: OwnWork) -> Sheet:
    rows: list[Row] = [
        ("Runs that began", ours.runs),
        ("Alerts closed", ours.closed),
        ("Alerts changed back by an undo", ours.undone),
    ]
    columns = (Column("what", min_width=20), Column("number", right=True))
    return Sheet("What we did in the period", columns, rows, [_source(ours)])


def _source(ours: OwnWork) -> str:
    if not ours.journals:
        return f"No run is recorded for this customer on the machine {ours.machine}: there is no journal."
    journals = "the journal" if len(ours.journals) == 1 else "the journals"
    cids = f"the CID {ours.journals[0]}" if len(ours.journals) == 1 else f"the CIDs {', '.join(ours.journals)}"
    return f"From {journals} of {cids} on the machine {ours.machine}; it does not matter when the alerts were created."


def _by_rule(rules: Sequence[RuleClosings]) -> Sheet:
    columns = (
        Column("rule", min_width=12),
        Column("closed", right=True),
        Column("reason", wrap=True, min_width=20),
        Column("ends", drop_order=1),
    )
    return Sheet(
        "What closing rules closed", columns, [(rule.rule, rule.closed, rule.reason, rule.expires) for rule in rules]
    )


def _runs(runs: Sequence[ReportedRun]) -> Sheet:
    columns: list[Column] = [
        Column("started", style="time", min_width=19),
        Column("run", min_width=40, whole=True),
        Column("command", min_width=10),
        Column("planned", right=True),
        Column("changed", right=True),
    ]
    rows: list[tuple[str | int, ...]] = [
        (run.started, run.run_id, run.command, run.planned, run.changed) for run in runs
    ]
    if any(run.operator for run in runs):
        columns.append(Column("operator", min_width=8))
        rows = [(*row, run.operator) for row, run in zip(rows, runs, strict=True)]
    return Sheet("The runs", columns, rows)
