"""Takes the pictures of HTML reports that the docs show, with Chromium, from a tenant of the emulator.

    python tools/screenshots.py         into docs/images

Look at them before they are committed.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from falcon_emulator import Server, Tenant

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
BINARIES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
DARK = "--blink-settings=preferredColorScheme=0"
PICTURES = {
    "hash-summary-wide.png": ("hash-summary", "--window-size=1400,1180"),
    "hash-summary-narrow.png": ("hash-summary", "--window-size=390,1180", DARK),
    "customer-report.png": ("report", "--window-size=1200,1180"),
}
"""The command that makes the page, and how the browser shows it."""
SIZE = 200_000
"""Bytes that a picture may have at most: it stays in the history for good."""


def main() -> int:
    """Take them; the exit status."""
    browser = next(filter(None, map(shutil.which, BINARIES)), None)
    if browser is None:
        print("No Chromium is installed.", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        folder = Path(name)
        pages = reports(folder)
        for picture, (command_name, *look) in PICTURES.items():
            target = IMAGES / picture
            profile = f"--user-data-dir={folder / 'profile'}"
            command = [browser, *FLAGS, *look, profile, f"--screenshot={target}", pages[command_name].as_uri()]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL, timeout=60)
            print(f"{target}: {target.stat().st_size:,} bytes")
    return int(any((IMAGES / picture).stat().st_size > SIZE for picture in PICTURES))


def reports(folder: Path) -> dict[str, Path]:
    """The pages of a tenant of 10,000 alerts, by the command that writes them."""
    tenant = Tenant(alerts=10_000, seed=5, customer="acme")
    pages = {name: folder / f"{name}.html" for name in ("hash-summary", "report")}
    with Server(tenant) as server:
        env_file = folder / "acme.env"
        env_file.touch(mode=0o600)
        env_file.write_text(tenant.env_text(server.url) + "FALCON_OPERATOR=alice\n", encoding="utf-8")
        for name, page in pages.items():
            command = [sys.executable, "-m", "falcon_bulk", name, "--since", "60d", "-o", str(page), "--quiet"]
            where = {"FALCON_BULK_STATE_DIR": str(folder / "state")}
            subprocess.run(
                [*command, "--env-file", str(env_file)], check=True, stdout=subprocess.DEVNULL, env=where, timeout=120
            )
    return pages


if __name__ == "__main__":
    sys.exit(main())
