"""Shows pages in a headless Chromium."""

import base64
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException, WebDriverException

BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
TRIES = 3


def started(profile: Path) -> webdriver.Chrome:
    """Start a browser with a fresh profile. Skips the test if none is installed."""
    binary = next(filter(None, map(shutil.which, BINARIES)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium with its driver is installed; `make browser` installs them on Debian")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for left in reversed(range(TRIES)):  # A machine under load starts it too slowly now and then.
        try:
            return webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        except WebDriverException:
            if not left:
                raise
            time.sleep(1)
    raise AssertionError


class Page:
    """A file in the browser: at a width, in light or dark, on a screen or in print."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome

    def open(self, path: Path, *, width: int = 1400, scheme: str = "light", media: str = "screen") -> "Page":
        self.chrome.get_log("browser")
        self.chrome.get_log("performance")
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        self.chrome.get(path.as_uri())
        return self

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self.chrome.execute_script(f"return ({expression})")

    @property
    def complaints(self) -> list[str]:
        """Return the console's messages since the page was opened: errors and violations of the page's policy."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    @property
    def requests(self) -> list[str]:
        """Return the addresses requested since the page was opened."""
        events = (json.loads(entry["message"])["message"] for entry in self.chrome.get_log("performance"))
        sent = (event["params"] for event in events if event["method"] == "Network.requestWillBeSent")
        return [params["request"]["url"] for params in sent]

    @property
    def dialog(self) -> str:
        """Return the text of the open dialog, '' for none."""
        try:
            return str(self.chrome.switch_to.alert.text)
        except NoAlertPresentException:
            return ""

    def pdf(self) -> bytes:
        """Return the printed page."""
        return base64.b64decode(self.chrome.print_page())

    def picture(self) -> bytes:
        """Return a screenshot as PNG."""
        return base64.b64decode(self.chrome.execute_cdp_cmd("Page.captureScreenshot", {})["data"])
