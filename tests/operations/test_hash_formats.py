"""SHA256 hashes from what tools and publications write: what is taken says that it is one, or the file is refused."""

import json
from io import BytesIO
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from falcon_bulk.errors import UsageProblem
from falcon_bulk.operations.inputs.hash_file import read_hash_list

A, B, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
MD5, SHA1, TLSH = "d4" * 16, "e5" * 20, "f6" * 35
PATTERN = "[file:hashes.'SHA-256' = '%s']"


def taken(content: str | bytes, *, only: bool = False) -> list[str]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_hash_list(BytesIO(data), "hashes", only_sha256=only).hashes)


def bundle(*objects: dict[str, Any]) -> str:
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects})


@pytest.mark.parametrize(
    "content",
    [
        f"SHA1={SHA1},MD5={MD5},SHA256={A},IMPHASH={MD5}",
        f"SHA256(C:\\a.exe)= {A}",
        f"SHA256 (a.exe) = {A}",
        f"{A} *setup.exe",
        f"https://www.virustotal.com/gui/file/{A}/detection",
        f"\n\nAlgorithm : SHA256\nHash      : {A.upper()}\nPath      : C:\\a.exe\n\n",
        f"Algorithm       Hash     Path\n---------       ----     ----\nSHA256          {A}   C:\\a.exe\n",
        f"SHA256-Hash von C:\\a.exe:\n{A}\nCertUtil: -hashfile-Befehl wurde erfolgreich ausgeführt.\n",
        f"SHA256 hash of file a:\n{' '.join(['a1'] * 32)}\nCertUtil: -hashfile command completed successfully.\n",
        f'#TYPE System\r\n"Algorithm","Hash","Path"\r\n"SHA256","{A}","C:\\a"\r\n',
        f"Indicator type,Indicator,Description\nFileHash-SHA256,{A},\n",
        f"IndicatorType,IndicatorValue\nFileSha256,{A}\n",
        f'# "seen","sha256_hash","md5_hash","tlsh"\n#\n"x", "{A}", "{MD5}", "{TLSH}"\n# Number of entries: 1\n',
        f"parent_sha256,sha256\n{OTHER},{A}\n",
        f"Name;SHA256 Hash\nPr\xfcfer;{A}\n".encode("cp1252"),
        f"sep=;\r\nSHA256String;x\r\n{A};y\r\n",
        f"composite_id,sha256\nc:ind:a:1,{A}\nc:ind:a:2,\n",
        f"| sha256sum | name |\n|---|---|\n| `{A}` | x |\n".replace("|---|---|\n", ""),
        json.dumps({"data": [{"type": "file", "id": A, "attributes": {"sha256": A, "authentihash": OTHER}}]}),
        json.dumps({"resources": [{"composite_id": "c", "sha256": A, "parent_details": {"sha256": OTHER}}]}),
        json.dumps({"resources": [{"composite_id": "c", "ioc_type": "hash_sha256", "ioc_value": A}]}),
        json.dumps({"resources": [{"id": OTHER, "type": "sha256", "value": A}]}),
        json.dumps([{"lead_id": OTHER, "sha256": A}]),
        bundle({"type": "identity", "id": "identity--1"}, {"type": "file", "hashes": {"SHA-256": A, "MD5": MD5}}),
        bundle({"type": "indicator", "pattern": PATTERN % A}),
        f'Image,Hashes\nC:\\a.exe,"SHA1={SHA1},MD5={MD5},SHA256={A.upper()},IMPHASH={MD5}"\n',
        json.dumps([{"Hashes": f"MD5={MD5},SHA256={A},IMPHASH={MD5}"}]),
        f'sha256\n="{A}"\n',
        f"sha256\n'{A}\n",
        f"sha256\n\u200b{A}\u00a0\n",
        f"| SHA256 | name |\n|---|---:|\n| `{A}` | x |\n",
        f"- `{A}` dropper\n",
        f"Hash\n----\n{A}\n",
        f"\nHash              Path\n----              ----\n{A} C:\\a.exe\n\n",
        f"%%%% HASHDEEP-1.0\n%%%% size,md5,sha256,filename\n## Invoked from: /\n##\n1,{MD5},{A},/a.exe\n",
        f"#separator \\x09\n#fields\tts\tmd5\tsha256\tname\n#types\ttime\tstring\tstring\tstring\n1.0\t{MD5}\t{A}\t-\n",
        f"Timestamp,SHA1,SHA256,InitiatingProcessSHA256\nx,{SHA1},{A},{OTHER}\n",
        f"Action File SHA256,Initiator SHA256,CGO SHA256\n{A},{OTHER},{OTHER}\n",
        f"sha256,x\n{A},1\nsha256,x\n",
        "名前,sha256\nテスト,".encode("cp932") + A.encode(),
        f'hash = "{A}"',
        f"a.exe ({A})",
        f"[SHA256]\n{A}\n",
        f"['{A}']",
        json.dumps({"123": [{"ioc_value": A, "ioc_type": "sha256_hash"}]}),
        json.dumps([{"objectFileHashSha256": A, "parentFileHashSha256": OTHER}]),
        json.dumps({"metadata": {}, "event": {"SHA256String": A, "MD5String": MD5}}),
        json.dumps({"hits": {"hits": [{"_source": {"file": {"hash": {"sha256": A}}, "parent": {"sha256": OTHER}}}]}}),
        json.dumps({"preview": False, "result": {"sha256": A}}),
        json.dumps({"sha256": A}, indent=1) + "\n",
    ],
)
def test_a_published_format_gives_the_files_own_hashes(content: str | bytes) -> None:
    assert taken(content) == [A]
    assert taken(content, only=True) == [A]


@pytest.mark.parametrize(
    "content",
    [
        OTHER * 2,
        TLSH,
        f"lead_id: {OTHER}",
        f"lead_id\n{OTHER}\n",
        f"lead_id;name\n{OTHER};x\n",
        f"Lead IDs:\n{OTHER}\n",
        f"{MD5}:automated-lead:{MD5}:{OTHER}",
        f"parent sha256: {OTHER}",
        f"ParentSHA256,Name\n{OTHER},x\n",
        f"Thumbprint: {OTHER}",
        f"SHA3-256(a.exe)= {OTHER}",
        f"{OTHER},sha3-256",
        f"Algorithm : SHA512\nHash      : {OTHER}\n            {OTHER}\n",
        f"https://www.virustotal.com/gui/url/{OTHER}",
        f"indicator--{OTHER}",
        json.dumps({"data": [{"type": "url", "id": OTHER, "attributes": {}}]}),
        json.dumps({"Event": {"Attribute": [{"type": "x509-fingerprint-sha256", "value": OTHER}]}}),
        bundle({"type": "indicator", "pattern": f"[file:hashes.'SHA-256' != '{OTHER}']"}),
        bundle({"type": "indicator", "pattern": f"[process:parent_ref.image_ref.hashes.'SHA-256' = '{OTHER}']"}),
        bundle({"type": "x509-certificate", "hashes": {"SHA-256": OTHER}}),
    ],
)
@pytest.mark.parametrize("only", [False, True])
def test_64_digits_that_are_something_else_are_refused(content: str, only: bool) -> None:
    with pytest.raises(UsageProblem):
        taken(content, only=only)


@pytest.mark.parametrize(
    "content",
    [
        f"hmac-sha256: {OTHER}",
        f"password hash: {OTHER}",
        f"commit {OTHER}",
        f"Launched by explorer.exe ({OTHER})",
        f"The ransom note had the text {OTHER} in it",
        f"docker image digest sha256:{OTHER}",
        f"# Listingdate,SHA256 fingerprint\n2024-01-01,{OTHER}",
        f"job_id;x\n{OTHER};y",
        f"cert_sha256,x\n{OTHER},y",
        f"name,lead_id,sha256\nAcme, Inc,{OTHER},{A}",
        f'<Indicator>\n<Content type="string">{OTHER}</Content>\n</Indicator>',
        f"<html><body>{OTHER}</body></html>",
        json.dumps({"fields": ["lead_id"], "rows": [[OTHER]]}),
        json.dumps([{"sha256_salt": OTHER}]),
        json.dumps({"parent": {"sha256": OTHER}}),
        json.dumps({"Event": {"Attribute": [{"type": "sha512/256", "value": OTHER}]}}),
        json.dumps({"Event": {"Attribute": [{"type": "sha256", "value": OTHER, "deleted": True}]}}),
        bundle({"type": "indicator", "revoked": True, "pattern": PATTERN % OTHER}),
        bundle({"type": "indicator", "pattern": f"[x509-certificate:hashes.'SHA-256' = '{OTHER}']"}),
    ],
)
@pytest.mark.parametrize("only", [False, True])
def test_a_place_that_does_not_say_sha256_of_a_file_gives_nothing(content: str, only: bool) -> None:
    with pytest.raises(UsageProblem):
        taken(content, only=only)


@pytest.mark.parametrize("heading", ["Reported by Acme", "Hashes provided by Acme in a session", "Resource list"])
def test_a_heading_that_only_says_where_a_list_is_from_holds_for_nothing(heading: str) -> None:
    assert taken(f"{heading}\n{A}\n{B}\n", only=True) == [A, B]


@pytest.mark.parametrize("rule", ["", "------  ------\n"])
def test_the_table_of_related_hashes_of_hash_summary_gives_none(rule: str) -> None:
    title = "acme: 75 hashes seen only as parent, quarantined or written files"
    content = f"alerts  sha256\n{rule}   123  {A}\n\n{title}\n\nalerts  sha256\n{rule} 1,066  {OTHER}\n"
    assert taken(content, only=True) == [A]


@pytest.mark.parametrize("only", [False, True])
def test_a_file_with_two_tables_is_refused(only: bool) -> None:
    for mark in ("| {} |", "{}"):
        rows = ("alerts|sha256|md5", f"3|{A}|{MD5}", "", "alerts|sha256|fields", f"4|{OTHER}|parent")
        content = "".join(mark.format(row) + "\n" if row else "\n" for row in rows)
        with pytest.raises(UsageProblem, match="Another table begins in line 4"):
            taken(content, only=only)


def test_of_a_table_below_a_title_only_its_column_is_read() -> None:
    content = f"Indicators of Monday\n\nsha256,parent_sha256\n{A},{OTHER}\n"
    assert taken(content, only=True) == [A]
    with pytest.raises(UsageProblem, match="line 1: text above the table"):
        taken(content)


@pytest.mark.parametrize(("digest", "field"), [(MD5, "md5"), (SHA1.upper(), "sha1")])
@pytest.mark.parametrize("content", ["%s", "type,value\nother,%s", '[{"type": "other", "value": "%s"}]', "MD5 %s\nx"])
def test_the_refusal_of_an_md5_or_sha1_has_the_filter_that_finds_it(digest: str, field: str, content: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        taken(content % digest)
    assert f"--filter \"{field}:'{digest.lower()}'\"" in caught.value.hint


def test_what_is_left_out_is_counted_and_the_refusal_names_the_option() -> None:
    content = f"Indicators\nMD5 {MD5}\nSHA256 {A}\n"
    with pytest.raises(UsageProblem) as caught:
        taken(content)
    assert "line 1: no SHA256 in it; line 2: an MD5, not a SHA256" in caught.value.message
    assert "--only-sha256" in caught.value.hint
    assert read_hash_list(BytesIO(content.encode()), "x", only_sha256=True) == ((A,), 2)


class Item(NamedTuple):
    """Something in a file: the type that says what it is, its value, and whether it is a SHA256."""

    kind: str
    value: str

    @property
    def is_sha256(self) -> bool:
        return self.kind == "sha256" and len(self.value) == 64


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=length, max_size=length)


ITEMS = st.lists(
    st.builds(Item, st.just("sha256"), digits(64))
    | st.builds(Item, st.just("sha256"), digits(63) | digits(128))
    | st.builds(Item, st.just("md5"), digits(32))
    | st.builds(Item, st.just("sha1"), digits(40))
    | st.builds(Item, st.just("tlsh"), digits(70))
    | st.builds(Item, st.sampled_from(["lead_id", "authentihash", "parent_sha256", "sha3-256"]), digits(64))
    | st.builds(Item, st.just("domain"), st.sampled_from(["bad.example", "setup.exe", "seen at night"])),
    min_size=1,
    max_size=8,
)


def _prose(items: list[Item]) -> str:
    lines = ("# collected at night", "", *(f"- {item.kind} {item.value}" for item in items))
    return "\r\n".join(lines)


def _csv(items: list[Item], delimiter: str) -> str:
    return "\n".join(delimiter.join(row) for row in [("type", "value", "note"), *((*item, "x") for item in items)])


def _columns(items: list[Item]) -> str:
    """A table with a column for each kind, and a row for each item."""
    kinds = list(dict.fromkeys(["sha256", *(item.kind for item in items)]))
    rows = (
        ",".join(item.value if item.kind == kind else "" for kind in kinds) + f",{n}" for n, item in enumerate(items)
    )
    return "\n".join([",".join(kinds) + ",n", *rows])


FORMATS = {
    "label": lambda items: "\n".join(f"{item.kind}: {item.value}" for item in items),
    "word": lambda items: "\n".join(f"{item.kind} {item.value}" for item in items),
    "pairs without header": lambda items: "\n".join(f"{item.kind},{item.value}" for item in items),
    "list": _prose,
    "markdown": lambda items: "|type|value|\n|---|---|\n" + "".join(f"|{i.kind}|`{i.value}`|\n" for i in items),
    "powershell": lambda items: "\n".join(f"Algorithm : {i.kind}\nHash      : {i.value}\n" for i in items),
    "pretty objects": lambda items: "\n".join(json.dumps({"type": i.kind, "value": i.value}, indent=2) for i in items),
    "by number": lambda items: json.dumps(
        {str(n): [{"ioc_type": i.kind, "ioc": i.value}] for n, i in enumerate(items)}
    ),
    "columns": lambda items: _columns(items),
    "csv": lambda items: _csv(items, ","),
    "semicolons": lambda items: "sep=;\n" + _csv(items, ";"),
    "tabs": lambda items: _csv(items, "\t"),
    "json": lambda items: json.dumps({"resources": [{"type": item.kind, "value": item.value} for item in items]}),
    "keys": lambda items: json.dumps([{item.kind: item.value} for item in items]),
    "lines": lambda items: "\n".join(json.dumps({"type": item.kind, "value": item.value}) for item in items),
    "misp": lambda items: json.dumps({"Event": {"Attribute": [{"type": i.kind, "value": i.value} for i in items]}}),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@given(items=ITEMS)
def test_exactly_the_sha256s_are_taken_or_the_file_is_refused(name: str, encoding: str, items: list[Item]) -> None:
    data = FORMATS[name](items).encode(encoding)
    wanted = [item.value for item in items if item.is_sha256]
    for only in (False, True):
        expected = wanted if only or len(wanted) == len(items) else []
        try:
            found = taken(data, only=only)
        except UsageProblem:
            found = []
        assert found == expected
