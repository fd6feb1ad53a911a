"""What an indicator lacks of what was to be allowed, in words, and whether it is exactly that."""

from typing import Any

import pytest

from falcon_bulk.model.indicator import Indicator, IndicatorSpec

GROUPS = ("1" * 32, "2" * 32)
ENDS = "2026-12-24T00:00:00Z"


def an_indicator(**fields: Any) -> Indicator:
    usual: dict[str, Any] = {"id": "1", "type": "sha256", "value": "a" * 64, "action": "allow"}
    usual |= {"platforms": ["windows"], "applied_globally": True, "expiration": ENDS}
    return Indicator(**usual | fields)


def a_spec(**fields: Any) -> IndicatorSpec:
    return IndicatorSpec(**{"platforms": ("windows",), "expiration": ENDS, "description": "Vetted"} | fields)


@pytest.mark.parametrize(
    ("indicator", "spec", "missing"),
    [
        ({}, {}, ()),
        ({"platforms": ["mac"]}, {"platforms": ("windows", "linux")}, ("not on windows, linux",)),
        ({"applied_globally": False, "host_groups": list(GROUPS)}, {}, ("not globally",)),
        ({"applied_globally": False, "host_groups": list(GROUPS)}, {"host_groups": GROUPS[:1]}, ()),
        (
            {"applied_globally": False, "host_groups": [GROUPS[0]]},
            {"host_groups": GROUPS},
            (f"not in the host groups {GROUPS[1]}",),
        ),
        ({}, {"host_groups": GROUPS}, ()),
        ({"expiration": ""}, {}, ()),
        ({"expiration": "2026-11-30T00:00:00Z"}, {}, ("only until 2026-11-30T00:00:00Z",)),
        ({}, {"expiration": ""}, (f"only until {ENDS}",)),
        ({"expiration": "some day"}, {}, ("only until some day",)),
        ({"expiration": "9999-12-31T23:59:59Z"}, {"expiration": "9999-12-31T23:59:59Z"}, ()),
    ],
)
def test_what_is_missing_is_said_and_what_is_wider_is_not(
    indicator: dict[str, Any], spec: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert an_indicator(**indicator).missing_scope(a_spec(**spec)) == missing


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "prevent"},
        {"platforms": ["windows", "mac"]},
        {"applied_globally": False, "host_groups": list(GROUPS)},
        {"expiration": ""},
        {"expiration": "some day"},
    ],
)
def test_only_the_same_matches(fields: dict[str, Any]) -> None:
    assert an_indicator(expiration="2026-12-24T01:00:00+01:00").matches(a_spec())
    assert not an_indicator(**fields).matches(a_spec())
