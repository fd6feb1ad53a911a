"""What a tenant may do to a reading: empty an OR, refuse an id, show another customer's alerts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from falcon_bulk.errors import BadFilter, Rejected
from falcon_bulk.model.alert import Alert
from falcon_bulk.model.clock import SystemClock
from falcon_bulk.model.selection import Selection
from falcon_bulk.operations.reading.read_progress import ReadProgress
from falcon_bulk.operations.reading.select_alerts import read_selection
from falcon_bulk.operations.reading.selection_filter import build_filter
from falcon_emulator import Fault, Server, Switches, Tenant
from tests.support.clients import client_for
from tests.support.command import CommandRunner
from tests.support.sampling import quick_first


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[CommandRunner]:
    with Server(Tenant(alerts=300, children=1)) as server:
        yield CommandRunner(tmp_path, server)


@pytest.mark.parametrize(
    "reading",
    quick_first(
        (("query", "--all"),),
        (("summary",),),
        (("query", "--limit", "300"),),
        (("query", "--count"),),
        (("hash-summary",),),
        quick=2,
    ),
    ids=" ".join,
)
@pytest.mark.parametrize("expected", ["9" * 32, "child"])
def test_nobody_is_shown_alerts_of_a_cid_that_was_not_expected(
    shell: CommandRunner, reading: tuple[str, ...], expected: str
) -> None:
    cid = shell.tenant.children[0] if expected == "child" else expected
    shell.write_env("customers/acme.env", shell.env_file.read_text().replace(shell.tenant.cid, cid))
    done = shell(*reading)
    assert done.code == 4, done


def test_many_hashes_are_found_also_where_an_unknown_field_empties_the_whole_filter(tmp_path: Path) -> None:
    tenant = Tenant(
        alerts=600, seed=3, switches=Switches.of("unknown_field=empty_filter", "entities_sha256=unknown_field")
    )
    with Server(tenant) as server:
        falcon = client_for(tenant, server, quota=0.5)
        shell = CommandRunner(tmp_path, server)
        own = sorted(shell.hashes().items(), key=lambda item: -len(item[1]))[:30]
        wanted = {composite_id for _, ids in own for composite_id in ids}
        pages = read_selection(
            falcon.alerts, Selection(hashes=tuple(h for h, _ in own)), ReadProgress(SystemClock()), Alert
        )
        found = [item.alert.composite_id for page in pages for item in page]
        falcon.close()
    assert len(found) == len(set(found))
    assert set(found) == wanted


class Counting:
    """A tenant that knows one of the fields a host can stand in."""

    def count(self, fql: str) -> int:
        return 7 if fql.startswith("source_endpoint_host_name:") else 0


def test_of_the_fields_of_a_host_only_those_are_asked_that_find_it() -> None:
    assert build_filter(Counting(), Selection(host="DC*")) == "source_endpoint_host_name:'DC*'"  # type: ignore[arg-type]
    assert build_filter(Counting(), Selection(name="EICAR*")) == "name:'EICAR*'"  # type: ignore[arg-type]


class Negating:
    """A tenant of ten alerts: two hidden, three without show_in_ui, which `!` may or may not find."""

    def __init__(self, shown: int, untold: int | None) -> None:
        self.found = {"": 10, "show_in_ui:false": 2, "show_in_ui:!false": shown, "show_in_ui:!'*'": untold}

    def count(self, fql: str) -> int:
        found = self.found[fql]
        if found is None:
            raise BadFilter("Falcon refuses the filter: no wildcard here.", status=400)
        return found


@pytest.mark.parametrize(
    ("tenant", "asked"),
    [
        (Negating(8, 3), "show_in_ui:!false"),
        (Negating(5, 3), "(show_in_ui:!false,show_in_ui:!'*')"),
        (Negating(5, 10), "show_in_ui:!false"),
        (Negating(5, 0), "show_in_ui:!false"),
        (Negating(5, None), "show_in_ui:!false"),
    ],
)
def test_alerts_without_show_in_ui_are_visible_and_no_hidden_ones_come_along(tenant: Negating, asked: str) -> None:
    assert build_filter(tenant, Selection(visible_only=True)) == asked


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_id_that_refuses_a_whole_reading_is_left_out(status: int) -> None:
    tenant = Tenant(alerts=200)
    with Server(tenant) as server:
        falcon = client_for(tenant, server, quota=0.5)
        ids = list(tenant.store.by_id)[:50]
        whole = falcon.alerts._documents

        def refuse(asked: Sequence[str]) -> list[object]:
            if ids[17] in asked:
                raise Rejected("unknown id", status=status)
            return whole(asked)

        falcon.alerts._documents = refuse  # type: ignore[method-assign, assignment]
        assert len(falcon.alerts.by_id(ids)) == 49
        server.call(lambda: tenant.faults.add(Fault(kind="status", status=status, endpoint="entities", times=None)))
        falcon.alerts._documents = whole  # type: ignore[method-assign]
        with pytest.raises(Rejected):
            falcon.alerts.by_id(ids * 4)
        assert sum(request.endpoint == "entities" for request in tenant.request_log.requests) <= 140
        falcon.close()
