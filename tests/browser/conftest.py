"""One browser for all tests of a module: it takes seconds to start."""

from collections.abc import Iterator

import pytest

from tests.support.chrome import Page, started


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    chrome = started(tmp_path_factory.mktemp("chromium"))
    try:
        yield Page(chrome)
    finally:
        chrome.quit()
