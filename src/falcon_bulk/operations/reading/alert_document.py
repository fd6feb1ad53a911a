"""An alert as it was read: decoded, with the document it was decoded from."""

from typing import Generic

import msgspec

from falcon_bulk.errors import Unreachable
from falcon_bulk.model.alert_decoder import AlertView, decode_as
from falcon_bulk.model.hashes import OwnHashes, own_hashes


class AlertDocument(msgspec.Struct, Generic[AlertView], gc=False):
    """An alert and the document it was decoded from."""

    alert: AlertView
    document: msgspec.Raw
    _own_hashes: OwnHashes | None = None

    @property
    def own_hashes(self) -> OwnHashes:
        """The alert's own hashes, each with the fields it is in. Computed once: several steps need them."""
        if self._own_hashes is None:
            self._own_hashes = own_hashes(self.alert)
        return self._own_hashes


def decode_result(view: type[AlertView], document: msgspec.Raw) -> AlertDocument[AlertView]:
    """Decode a document that Falcon returned. Raises Unreachable if it is not an alert."""
    try:
        return AlertDocument(decode_as(view, document), document)
    except msgspec.MsgspecError:
        raise Unreachable("Falcon sent a document that is not an alert: it has no composite_id.") from None
