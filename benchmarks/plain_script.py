"""A script as it is commonly written, for comparison: `python -m benchmarks.plain_script ENVFILE [--close]`.

It uses FalconPy in its default dict mode, without a session: ids by offset, which ends at 10,000; details in chunks;
then, with --close, one update after another with a pause after each.
"""

import argparse
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

if TYPE_CHECKING:
    from falconpy import Alerts

ID_PAGE = 1_000
CHUNK = 1_000
BATCH = 1_000
PAUSE = 0.5
MAX_OFFSET = 10_000


def all_ids(falcon: "Alerts") -> list[str]:
    """Return the ids that offsets can reach."""
    ids: list[str] = []
    while len(ids) < MAX_OFFSET:
        answer: Any = falcon.query_alerts_v2(limit=ID_PAGE, offset=len(ids), sort="created_timestamp|asc")
        ids += _resources(answer)
        if len(ids) >= answer["body"]["meta"]["pagination"]["total"]:
            break
    return ids


def hashes(falcon: "Alerts", ids: list[str]) -> Counter[str]:
    """Return the number of alerts for each sha256."""
    counts: Counter[str] = Counter()
    for chunk in _chunks(ids, CHUNK):
        found = _resources(falcon.get_alerts_v2(composite_ids=chunk))
        counts.update(alert["sha256"] for alert in found if alert.get("sha256"))
    return counts


def close(falcon: "Alerts", ids: list[str]) -> None:
    """Close all alerts."""
    for batch in _chunks(ids, BATCH):
        answer: Any = falcon.update_alerts_v3(
            composite_ids=batch, action_parameters=[{"name": "update_status", "value": "closed"}]
        )
        if answer["status_code"] != 200:
            raise SystemExit(f"an update was answered with {answer['status_code']}")
        time.sleep(PAUSE)


def _resources(answer: Any) -> list[Any]:
    if answer["status_code"] != 200:
        raise SystemExit(f"a request was answered with {answer['status_code']}")
    found: list[Any] = answer["body"]["resources"]
    return found


def _chunks(ids: list[str], size: int) -> list[list[str]]:
    return [ids[start : start + size] for start in range(0, len(ids), size)]


def main() -> None:
    """Read everything and count hashes; with --close, close everything."""
    from falconpy import Alerts

    parser = argparse.ArgumentParser()
    parser.add_argument("env_file", type=Path)
    parser.add_argument("--close", action="store_true")
    arguments = parser.parse_args()
    settings = dotenv_values(arguments.env_file, interpolate=False)
    falcon = Alerts(
        client_id=settings["FALCON_CLIENT_ID"],
        client_secret=settings["FALCON_CLIENT_SECRET"],
        base_url=settings["FALCON_BASE_URL"],
    )
    ids = all_ids(falcon)
    print(len(hashes(falcon, ids)), "hashes in", len(ids), "alerts")
    if arguments.close:
        close(falcon, ids)


if __name__ == "__main__":
    main()
