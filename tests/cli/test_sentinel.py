"""The search for the sentinel finds it: otherwise its silence would prove nothing."""

import json
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from tests.support.secret_sentinel import SENTINEL, forms

TOKEN = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.acme-0123456789abcdef"


@pytest.mark.parametrize("secret", [SENTINEL, TOKEN])
@pytest.mark.parametrize(
    "written",
    [
        str,
        repr,
        json.dumps,
        quote,
        quote_plus,
        lambda secret: secret[:12],
        lambda secret: secret.encode().hex(),
        lambda secret: b64encode(f"id:{secret}".encode()).decode(),
        lambda secret: b64encode(f"a:{secret}.".encode()).decode(),
        lambda secret: b64encode(f"ab{secret}".encode()).decode(),
        lambda secret: repr({"client_secret": secret}),
    ],
)
def test_a_secret_is_found_however_it_is_written(secret: str, written: object) -> None:
    shown = f"Error: {written(secret)}, and so on".encode()  # type: ignore[operator]
    assert any(form in shown for form in forms(secret))


def test_what_is_no_secret_is_not_found() -> None:
    assert not any(form in b"Error: Falcon refuses the login (401): access denied." for form in forms(SENTINEL))
