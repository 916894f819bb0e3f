"""Settings: defaults, file, environment, command line, in rising order; what is wrong is named."""

from pathlib import Path

import pytest

from rejoinder.config import load
from rejoinder.errors import ConfigInvalid


def test_each_source_overrules_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE", "LISTEN", "MAX_PARTS", "RETENTION"):
        monkeypatch.delenv(f"REJOINDER_{name}", raising=False)
    file = tmp_path / "rejoinder.toml"
    file.write_text('max_parts = 4\nretention = 30\nlisten = "127.0.0.1:1"\n')
    assert load().max_parts == 10
    monkeypatch.setenv("REJOINDER_RETENTION", "60")
    config = load(str(file), {"listen": "127.0.0.1:2", "database": None})
    assert (config.max_parts, config.retention, config.listen) == (4, 60, "127.0.0.1:2")
    assert config.address == ("127.0.0.1", 2)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("max_part = 4", "max_part"),
        ("max_parts = 0", "max_parts"),
        ("max_parts = 1.5", "max_parts"),
        ("retention = 6", "retention"),
        ('listen = "8080"', "listen"),
        ('listen = "localhost:99999"', "listen"),
        ('database = "mysql://x"', "database"),
        ('log_level = "loud"', "log_level"),
        ("max_parts = true", "max_parts"),
        ("not toml", "TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "rejoinder.toml"
    file.write_text(content)
    with pytest.raises(ConfigInvalid, match=named):
        load(str(file))


def test_retention_0_keeps_for_ever() -> None:
    assert load(None, {"retention": 0}).retention == 0


def test_a_missing_file_is_said() -> None:
    with pytest.raises(ConfigInvalid, match="can't be read"):
        load("/nowhere/rejoinder.toml")
