"""The page of settings says what the settings are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_settings_is_current() -> None:
    made = subprocess.run([sys.executable, DOCS / "settings_page.py"], capture_output=True, text=True, check=True)
    assert made.stdout == (DOCS / "settings.md").read_text(), "run: python docs/settings_page.py > docs/settings.md"
