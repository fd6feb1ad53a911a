"""The planted groups are valid: there are enough of them, ids are unique, and each document is an alert."""

from msgspec.json import encode

from falcon_bulk.model.alert_decoder import decode_alert
from tests.support import outlier_cases as plants
from tests.support import outlier_cases_held_out as plants_held_out
from tests.support.alert_groups import Group


def _outliers_and_near_misses(groups: list[Group]) -> tuple[int, int]:
    return sum(len(group.outliers) for group in groups), sum(len(group.near_misses) for group in groups)


def test_there_are_enough_plants_and_more_near_misses_than_outliers() -> None:
    outliers, near_misses = _outliers_and_near_misses(plants.groups())
    assert len(plants.groups()) >= 12
    assert outliers >= 25
    assert near_misses >= max(40, outliers)
    assert len(plants_held_out.groups()) == 6


def test_every_plant_is_an_alert_of_its_group_and_no_id_is_used_twice() -> None:
    seen: set[str] = set()
    for group in [*plants.groups(), *plants_held_out.groups()]:
        ids = {document["composite_id"] for document in group.documents}
        assert len(ids) == len(group.documents), group.story
        assert not ids & seen, group.story
        assert set(group.outliers) | set(group.near_misses) <= ids, group.story
        assert not set(group.outliers) & set(group.near_misses), group.story
        seen |= ids


def test_every_planted_document_is_read_as_an_alert() -> None:
    for group in [*plants.groups(), *plants_held_out.groups()]:
        read = [decode_alert(encode(document)) for document in group.documents]
        assert [alert.composite_id for alert in read] == [document["composite_id"] for document in group.documents]
        assert len({alert.sha256 for alert in read}) == 1, group.story


def test_groups_are_the_same_each_time() -> None:
    assert plants.groups() == plants.groups()
    assert plants_held_out.groups() == plants_held_out.groups()
