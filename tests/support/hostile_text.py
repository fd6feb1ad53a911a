"""Texts that attackers may put into names of files, hosts and users, one per trick, and tenants full of them."""

from collections.abc import Callable
from typing import Any

import msgspec

from falcon_emulator import Tenant
from falcon_emulator.alert_records import Alert, Assignee, Comment, Evidence, File, Fragment

CORPUS = {
    "C0": "\x01\x02\x07\x08\x0b\x0c\x0e\x1b\x7f",
    "NUL": "a\x00b",
    "C1": "\x80\x85\x90\x9b31m\x9d0;title\x9c",
    "ANSI": "\x1b[2J\x1b[31mred\x1b[0m\x1b[1;1H",
    "title": "\x1b]0;title\x07",
    "OSC 8": "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "line breaks": "one\ntwo\r\nthree\rfour\u2028five\u2029six\x85seven",
    "prompt": "\rError: nothing\nHint: run this",
    "bidi": "exe.\u202etxt\u202c \u2066x\u2069 \u061c\u200e\u200f",
    "zero width": "a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg\u034fh",
    "blank letters": "a\u3164b\u115fc\uffa0d",
    "tag characters": "a\U000e0041\U000e007fb",
    "variation": "a\ufe0fb\U000e0100c",
    "right to left": "\u05d0\u05d1\u05d2 \u0627\u0644\u0639",
    "combining": "Z\u0351\u036b\u0343\u036a" * 30,
    "wide": "漢字ファイル名 " * 20,
    "emoji": "🦅👨\u200d👩\u200d👧🏳\ufe0f\u200d🌈",
    "rich": "[red]alarm[/red] [/] [link=http://evil.example]x[/link] :skull: [bold",
    "formula": "=cmd|' /C calc'!A0",
    "formula, wide": "\uff1d1+1",
    "formula, minus": "-2+3",
    "formula, plus": "+1",
    "formula, at": "@SUM(A1)",
    "formula, wide at": "\uff20SUM(A1)",
    "formula, spaces": "  \u3000=1",
    "formula, tab": "\t=1",
    "formula, CR": "\r=1",
    "csv": 'a",b;\'c\t"',
    "table": "| a | b |\n|---|---|\n| c |",
    "backslashes": "a \\| b \\\\| c \\",
    "code": "`code` ``more ~~~",
    "emphasis": "*a* _b_ **c** ~~d~~",
    "heading": "# heading",
    "item": "- item",
    "number": "1. item",
    "rule": "---",
    "quote": "> quote",
    "footnote": "[^1] [r]: http://evil.example $x$ {{ x }} {% x %}",
    "link": "![i](http://evil.example/i.png) [l](javascript:alert(1))",
    "addresses": "http://evil.example www.evil.example //evil.example mailto:a@evil.example a@evil.example @acme #1",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><!-- --></td></tr></table>",
    "attribute": "\" onmouseover=\"alert(1)' x='",
    "entities": "&lt;b&gt; &#x202e; &amp;",
    "fql": "x'+platform_name:'Linux",
    "fql list": "'],status:['new",
    "shell": "$(reboot) `reboot` ; reboot & | reboot",
    "path": "../../../etc/cron.d/acme",
    "path, windows": "C:\\..\\..\\acme.md:stream",
    "format": "%s%n{0}{x!r}",
    "surrogate": "half \ud83d a character",
    "long": "x" * 5000,
}
HARMLESS = {kind: f"harmless text {number}" for number, kind in enumerate(CORPUS)}

_SPARED = ("timestamp", "cid")
_HALF = "HALF-A-CHARACTER"
"""Stands for a lone surrogate, which JSON can hold and UTF-8 cannot."""


def planted(texts: dict[str, str], alerts: int = 4) -> Tenant:
    """Return a tenant whose alerts have one of the texts in every text field; `alerts` alerts for each text."""
    tenant = Tenant(alerts=alerts * len(texts), seed=5)
    wanted = [text.encode(errors="replace").decode().replace("half ?", f"half {_HALF}") for text in texts.values()]
    for number, alert in enumerate(tenant.store.newest_first):
        _plant(alert, wanted[number % len(wanted)])
    return tenant


def _plant(alert: Alert, text: str) -> None:
    alert.parts = tuple(_fragment(part, text) for part in alert.parts)
    whole = text.replace(_HALF, "?")
    more: dict[str, Any] = {"comments": (Comment(whole, "2026-11-17T06:50:00Z", "ann@example.com"),)}
    if alert.state.tags:
        more["tags"] = (whole,)
    if alert.state.assignee:
        more["assignee"] = Assignee(whole)
    alert.state = alert.indexed = _replaced(alert.state, **more)
    alert.evidence = _renamed(alert.evidence, lambda file: File(file.sha256, file.md5, whole))


def _fragment(part: Fragment, text: str) -> Fragment:
    fragment = Fragment({name: _filled(name, value, text) for name, value in part.fields.items()})
    fragment.json = fragment.json.replace(_HALF.encode(), b"\\ud83d")
    return fragment


def _filled(name: str, value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {inner: _filled(inner, one, text) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(name, one, text) for one in value]
    return text if isinstance(value, str) and not any(word in name for word in _SPARED) else value


def _renamed(evidence: Evidence, rename: Callable[[File], File]) -> Evidence:
    single = ("subject", "indicator", "quarantined", "associated", "written")
    named = {place: rename(file) for place in single if (file := getattr(evidence, place))}
    return _replaced(evidence, entities=tuple(map(rename, evidence.entities)), **named)


def _replaced(struct: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(struct, **changes)
