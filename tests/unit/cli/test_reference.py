"""Documents that are written from the code say what the code says."""

from pathlib import Path

from rejoinder.cli.reference import page
from rejoinder.config import SETTINGS

ROOT = Path(__file__).parents[3]


def test_the_configuration_page_is_the_one_the_settings_give() -> None:
    # Renew it: .venv/bin/python -m rejoinder.cli.reference > docs/configuration.md
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == page()


def test_every_setting_stands_on_the_page() -> None:
    assert [s.name for s in SETTINGS if f"`{s.name}`" not in page()] == []
