"""Rules drafted from the groups of the outlier tests: what they close the next nights, and what they never close."""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec.json import encode

from falcon_bulk.errors import Refused
from falcon_bulk.model.alert_decoder import decode_alert
from falcon_bulk.operations.reading.alert_document import AlertDocument
from falcon_bulk.operations.rules.alert_facts import ReadFacts
from falcon_bulk.operations.rules.draft import Drafted, RuleDrafter
from falcon_bulk.operations.rules.matching import AlertTexts, is_expected, matches
from falcon_bulk.operations.rules.rule_parser import parse_rules
from falcon_bulk.operations.rules.rule_text import HEADER, TO_FILL_IN, drafted_rule, rule_toml
from tests.support import outlier_cases as plants
from tests.support import outlier_cases_held_out as plants_held_out
from tests.support.alert_groups import AlertGroupBuilder, Fields, Group, night
from tests.support.rule_builders import UPDATER, today, updater_alert
from tests.support.sampling import quick_first

NIGHTS = (1, 2, 3)
NOT_DRAFTED = {
    "A program of Windows that is used for everything": "no command line is usual",
    "A language that everyone uses in their own way": "no command line is usual",
    "A scan that finds many files of as many names": "no path, file name or command line is usual",
    "Logins, which have neither files nor processes": "no path, file name or command line is usual",
    "Ticket requests of a vulnerability scanner": "no path, file name or command line is usual",
    "Three alerts that have little in common": "no path, file name or command line is usual",
}


def ordinary(group: Group) -> list[Fields]:
    odd = group.outliers.keys() | group.near_misses.keys()
    return [document for document in group.documents if document["composite_id"] not in odd]


def as_read(document: Fields) -> AlertDocument:  # type: ignore[type-arg]
    data = encode(document)
    return AlertDocument(decode_alert(data), msgspec.Raw(data))


def draft(documents: Iterable[Fields], hashes: tuple[str, ...] = ()) -> Drafted:
    drafter = RuleDrafter(hashes)
    drafter.read(map(as_read, documents))
    return drafter.draft()


def closes(drafted: Drafted, document: Fields) -> bool:
    item = as_read(document)
    texts = AlertTexts(ReadFacts(item.alert, item.own_hashes))
    return matches(drafted.match, texts) and is_expected(drafted.expect, texts)


def updater(count: int = 30, **changed: object) -> list[Fields]:
    return AlertGroupBuilder("updater", updater_alert).ordinary(count, **changed).group().documents


@cache
def groups_of(number: int) -> dict[str, Group]:
    """Return all groups by their stories, as they are in a night."""
    with night(number):
        return {group.story: group for group in (*plants.groups(), *plants_held_out.groups())}


DRAFTED = [group for story, group in groups_of(0).items() if story not in NOT_DRAFTED]
each_group = pytest.mark.parametrize(
    "group", quick_first(*((group,) for group in DRAFTED), quick=6), ids=lambda group: group.story
)


def plants_closed(drafted: Drafted, group: Group) -> list[str]:
    documents = {document["composite_id"]: document for document in group.documents}
    return [why for composite_id, why in group.outliers.items() if closes(drafted, documents[composite_id])]


@each_group
def test_a_draft_closes_the_ordinary_alerts_of_the_next_nights_and_no_plant(group: Group) -> None:
    drafted = draft(ordinary(group))
    assert plants_closed(drafted, group) == []
    decided: list[bool] = []
    for number in NIGHTS:
        later = groups_of(number)[group.story]
        assert later.documents != group.documents
        assert plants_closed(drafted, later) == []
        decided += [closes(drafted, document) for document in ordinary(later)]
    assert sum(decided) >= 0.95 * len(decided)


@pytest.mark.parametrize(("story", "reason"), NOT_DRAFTED.items())
def test_where_nothing_is_steady_no_rule_is_drafted(story: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        draft(ordinary(groups_of(0)[story]))


@each_group
def test_a_draft_of_a_whole_group_leaves_its_plants_out(group: Group) -> None:
    assert plants_closed(draft(group.documents), group) == []


@each_group
def test_a_written_draft_lacks_only_what_a_person_knows(group: Group) -> None:
    drafted = draft(ordinary(group))
    text = HEADER + rule_toml(drafted_rule(drafted, (), ("acme",), today()), ["Drafted from a test"])
    file = parse_rules(Path("draft.toml"), text.encode(), today())
    assert sorted(problem.message for problem in file.problems) == sorted(f"{key} is blank." for key in TO_FILL_IN)
    for key in TO_FILL_IN:
        text = text.replace(f'{key} = ""', f'{key} = "{key}@soc.example"')
    (rule,) = parse_rules(Path("draft.toml"), text.encode(), today()).rules
    assert (rule.match, rule.expect) == (drafted.match, drafted.expect)


def test_fewer_than_two_alerts_are_no_habit() -> None:
    with pytest.raises(Refused, match=r"takes at least 2 alerts .*: 1\."):
        draft(updater(1))
    assert draft(updater(2)).alerts == 2


def test_a_true_positive_that_fits_stops_the_draft_and_is_named() -> None:
    documents = updater(30)
    documents[7]["tags"] = ["true_positive"]
    with pytest.raises(Refused, match="true positive") as caught:
        draft(documents)
    assert documents[7]["composite_id"] in caught.value.message


def test_a_true_positive_of_another_program_does_not() -> None:
    other = AlertGroupBuilder("another program", updater_alert).ordinary(1, tags=["true_positive"]).group().documents
    assert draft([*updater(30), *other]).alerts == 30


def test_a_value_that_nine_in_ten_have_is_expected_and_the_others_are_not() -> None:
    drafted = draft([*updater(46, parent="services.exe"), *updater(4, parent="cmd.exe")[:1]])
    assert drafted.expect.parent == ("services.exe",)
    drafted = draft([*updater(15, parent="services.exe"), *updater(35, parent="cmd.exe")[15:]])
    assert set(drafted.expect.parent) == {"services.exe", "cmd.exe"}


def test_what_varies_is_left_out_and_told() -> None:
    drafted = draft(updater(30))
    assert "host" in drafted.varying
    assert not drafted.expect.host


def test_one_machine_is_expected_as_it_is() -> None:
    drafted = draft(updater(12, device={"hostname": "ACME-SCAN-01"}))
    assert drafted.expect.host == ("ACME-SCAN-01",)


@pytest.mark.parametrize("severity", [("Medium", 50), ("High", 70), ("Critical", 90)])
def test_no_draft_expects_critical_alerts(severity: tuple[str, int]) -> None:
    name, number = severity
    drafted = draft(updater(12, severity=number, severity_name=name))
    assert drafted.expect.max_severity == ("" if name == "Critical" else name.casefold())


@pytest.mark.parametrize(
    "path",
    [
        UPDATER.replace("Vendor", "Ven'dor"),
        UPDATER.replace("Vendor", 'Ven"dor'),
        UPDATER.replace("Vendor", "Ven\ndor\x1b[2J"),
        UPDATER.replace("Vendor", "Ven'd\"or"),
        UPDATER.replace("Vendor", "Ünicode\u202e😀"),
        UPDATER.replace("Vendor", "Straße"),
    ],
)
def test_whatever_stands_in_a_path_the_draft_is_read_back_and_fits(path: str) -> None:
    documents = updater(12, path=path, cmdline=f'"{path}" ]]\n[rule.close] #')
    drafted = draft(documents)
    text = HEADER + rule_toml(drafted_rule(drafted, (), ("acme",), today()), [f"from {path}"])
    (table,) = tomllib.loads(text)["rule"]
    assert tuple(table["expect"]["path"]) == drafted.expect.path
    assert table["close"] == {"resolution": "false_positive"}
    assert all(closes(drafted, document) for document in documents)


def test_alerts_of_many_programs_are_no_rule() -> None:
    documents = [
        document
        for number in range(12)
        for document in AlertGroupBuilder(f"program {number}", updater_alert)
        .ordinary(3, name=f"Name{chr(97 + number)}", display_name="")
        .group()
        .documents
    ]
    with pytest.raises(Refused, match="12 hashes, and no usual name"):
        draft(documents)


def test_the_resolution_is_the_one_that_was_given() -> None:
    assert draft(updater(12, resolution="ignored")).resolution == "ignored"
    assert draft(updater(12)).resolution == "false_positive"


def test_an_id_is_free_and_made_of_the_file_name() -> None:
    drafted = draft(updater(12))
    assert drafted_rule(drafted, (), ("acme",), today()).id == "updater"
    assert drafted_rule(drafted, ("updater", "updater-2"), ("acme",), today()).id == "updater-3"
