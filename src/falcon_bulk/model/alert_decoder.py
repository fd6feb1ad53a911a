"""Decodes alert documents, whatever types their fields have."""

import json
from typing import Any, TypeVar, cast

import msgspec

from falcon_bulk.model.alert import Alert, BriefAlert, CountedAlert, ReportedAlert

AlertView = TypeVar("AlertView", bound=BriefAlert)
"""The class that determines which fields are decoded: each field costs time, and most time is spent on reading."""


_decoders = {view: msgspec.json.Decoder(view).decode for view in (BriefAlert, CountedAlert, ReportedAlert, Alert)}
_NESTED = {field.name: field.type for field in msgspec.structs.fields(Alert) if field.type not in (Any, str)}


def decode_alert(document: bytes | msgspec.Raw) -> Alert:
    """Decode an alert with all fields, as `decode_as` does."""
    return decode_as(Alert, document)


def decode_as(view: type[AlertView], document: bytes | msgspec.Raw) -> AlertView:
    """Decode an alert from its JSON document.

    A field or list element of another type than expected is dropped, so that the alert is not lost and a comment is
    found among unusual ones.
    Raises msgspec.MsgspecError if the document is not an object or has no composite_id.
    """
    try:
        return cast("AlertView", _decoders[view](document))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_leniently(view, document)


def composite_id_of(document: bytes | msgspec.Raw) -> str:
    """Return the id in an alert document; '' if it is not an alert."""
    try:
        return decode_alert(document).composite_id
    except (msgspec.MsgspecError, RecursionError):
        return ""


def decode_document(document: bytes | msgspec.Raw) -> dict[str, Any]:
    """Decode all fields of an alert document.

    A lone surrogate, which an attacker can put into a file name and UTF-8 cannot encode, becomes `?`; bytes that are
    not UTF-8 become U+FFFD. (msgspec raises UnicodeDecodeError for these, which is not a MsgspecError.)
    Raises msgspec.MsgspecError if the document is not an object.
    """
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            loose = json.dumps(json.loads(bytes(document).decode(errors="replace")), ensure_ascii=False)
        except ValueError as error:
            raise msgspec.DecodeError(str(error)) from None
        return msgspec.json.decode(loose.encode(errors="replace"), type=dict[str, Any])


def _decode_leniently(view: type[AlertView], document: bytes | msgspec.Raw) -> AlertView:
    fields = decode_document(document)
    for name, kind in _NESTED.items():
        fields[name] = _fitting(fields.get(name), kind)
    return msgspec.convert(fields, view)


def _fitting(value: Any, kind: Any) -> Any:
    """Return a value that fits; a list without the elements that do not; else None."""
    if _fits(value, kind):
        return value
    kept = [element for element in value if _fits([element], kind)] if isinstance(value, list) else None
    return kept if _fits(kept, kind) else None


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
