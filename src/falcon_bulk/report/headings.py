"""Headings in words for people who do not know the fields' names: `max_severity` is `Highest severity`."""

_HEADINGS = {
    "assigned_to_name": "Assigned to",
    "by": "Counted by",
    "by_product": "Product",
    "by_status": "Status",
    "cid": "CID",
    "cids": "CIDs",
    "cmdline": "Command line",
    "composite_id": "Alert ID",
    "created_timestamp": "Created",
    "falcon_host_link": "Console link",
    "fields": "Found in",
    "filename": "File name",
    "filenames": "File names",
    "hostname": "Host",
    "ids": "Alert IDs",
    "max_severity": "Highest severity",
    "md5": "MD5",
    "names": "Alert names",
    "run_id": "Run",
    "severity_name": "Severity",
    "sha256": "SHA256",
    "trace_id": "Trace ID",
    "user_name": "User",
}


def heading(name: str) -> str:
    """Return the heading for a column, a fact or a field; a pair of fields (`host*day`) becomes `Host × day`."""
    first, *others = name.split("*")
    return " × ".join([_in_words(first, initial=True), *(_in_words(other, initial=False) for other in others)])


def _in_words(name: str, *, initial: bool) -> str:
    known = _HEADINGS.get(name)
    if known or "." in name:  # a dot path is the name of a field of Falcon's, and has no other
        return known or name
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:] if initial else words
