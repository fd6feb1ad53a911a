"""Drop alerts that came before in a read, whatever created_timestamp they have."""

from collections.abc import Iterable

from falcon_bulk.model.alert_decoder import AlertView
from falcon_bulk.operations.reading.alert_document import AlertDocument


class DistinctAlerts:
    """Remembers the ids of a read's alerts; 100,000 take about 17 MB."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def new(self, alerts: Iterable[AlertDocument[AlertView]]) -> list[AlertDocument[AlertView]]:
        """Return the alerts that did not come before, each once, and remember them."""
        found: list[AlertDocument[AlertView]] = []
        for item in alerts:
            if item.alert.composite_id not in self._ids:
                self._ids.add(item.alert.composite_id)
                found.append(item)
        return found
