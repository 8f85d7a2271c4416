"""Settings: what is read, from where, and what a person is told about a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unstate.config import Config, ConfigError, Override, Service, format_duration, load, parse_duration


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert load(tmp_path) == Config()


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    text = """
[project]
name = "shop"

[tool.unstate]
exclude = ["legacy/**"]
select = ["US1", "US201"]
ignore = ["US107"]
key_prefix = { "carts" = "cart" }
injection = "module"

[tool.unstate.ttl]
session = "12h"
cache = "none"

[[tool.unstate.service]]
name = "web"
root = "services/web"

[[tool.unstate.service]]
name = "jobs"

[[tool.unstate.overrides]]
paths = ["services/web/**"]
ignore = ["US105"]
ttl = { token = "5m" }
"""
    assert load(write(tmp_path, text)) == Config(
        exclude=("legacy/**",),
        select=("US1", "US201"),
        ignore=("US107",),
        ttl={"session": "12h", "cache": "none"},
        key_prefix={"carts": "cart"},
        service=(Service(name="web", root="services/web"), Service(name="jobs")),
        overrides=(Override(paths=("services/web/**",), ignore=("US105",), ttl={"token": "5m"}),),
        injection="module",
        source=str(tmp_path / "pyproject.toml"),
    )


def test_the_nearest_table_wins_and_files_without_one_are_passed_by(tmp_path: Path) -> None:
    write(tmp_path, '[tool.unstate]\nignore = ["US1"]\n')
    write(tmp_path / "a", '[tool.unstate]\nignore = ["US2"]\n')
    deep = write(tmp_path / "a" / "b", '[project]\nname = "b"\n')
    assert load(deep).ignore == ("US2",)
    assert load(tmp_path).ignore == ("US1",)


def test_selection_is_by_the_beginning_of_a_code() -> None:
    config = Config(select=("US1",), ignore=("US107",))
    assert config.selects("US101")
    assert not config.selects("US107")
    assert not config.selects("US201")
    assert Config().selects("US501")


def test_an_override_counts_below_its_paths_only() -> None:
    config = Config(
        ttl={"session": "12h"}, overrides=(Override(paths=("web/**",), ignore=("US105",), ttl={"session": "1h"}),)
    )
    assert config.at("web/app.py").ttl == {"session": "1h"}
    assert config.at("jobs/app.py").ttl == {"session": "12h"}
    assert not config.selects("US105", "web/app.py")
    assert config.selects("US105", "jobs/app.py")
    assert config.selects("US105")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[tool.unstate]\nexcludes = ["a"]', 2, ['unknown key "excludes"', 'did you mean "exclude"?']),
        ("[tool.unstate]\nzzz = 1", 2, ['unknown key "zzz"', "known: exclude, select"]),
        ('[tool]\nunstate.ignroe = ["US1"]', 2, ['"ignroe"', '"ignore"']),
        ('[tool]\nunstate = { ignroe = ["US1"] }', 2, ['"ignroe"', '"ignore"']),
        ('[tool.unstate]\nsource = "x"', 2, ['unknown key "source"']),
        ('[tool.unstate]\n\nselect = "US101"', 3, ["select: expected a list, got a string"]),
        ('[tool.unstate]\nselect = ["US101", 3]', 2, ["expected a string, got a number"]),
        ('[tool.unstate]\nselect = ["us101"]', 2, ['"us101" is no rule code', '"US1"']),
        ('[tool.unstate.ttl]\nsession = "12h"\nsesion = "1h"', 3, ['"sesion" is no kind', 'did you mean "session"?']),
        ('[tool.unstate.ttl]\nsession = "a day"', 2, ['"a day" is no duration', '"24h"']),
        ("[tool.unstate.ttl]\nsession = 3600", 2, ["ttl.session: expected a string, got a number"]),
        ('[tool.unstate]\nttl = { session = "0s" }', 2, ['"0s" is no duration']),
        ('[tool.unstate.key_prefix]\n"carts" = "a b"', 2, ['"a b" is no prefix']),
        ('[tool.unstate.key_prefix]\n"carts" = ""', 2, ['"" is no prefix']),
        ('[[tool.unstate.service]]\nname = "a"\n[[tool.unstate.service]]\nnom = "b"', 4, ['"nom"', '"name"']),
        ('[[tool.unstate.service]]\nroot = "a"', 1, ["missing required field `name`"]),
        ('[[tool.unstate.service]]\nname = "a"\nroot = "../b"', 3, ["must lie below"]),
        ('[[tool.unstate.overrides]]\npaths = ["a"]\nselect = ["US1"]', 3, ['unknown key "select"']),
        ('[[tool.unstate.overrides]]\npaths = ["a"]\nttl = { x = "1h" }', 3, ['"x" is no kind']),
        ("[tool]\nunstate = 1", 2, ["must be a table"]),
        ("[tool.unstate]\nselect = [", 2, ["not valid TOML"]),
        ("[tool.unstate\n", 1, ["not valid TOML"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_and_line(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'pyproject.toml'}:{line}: ")
    for word in words:
        assert word in message
    assert "\n" not in message


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'[tool.unstate]\nexclude = ["caf\xe9"]\n')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path)


def test_other_tools_may_write_what_they_like(tmp_path: Path) -> None:
    assert load(write(tmp_path, "[tool.other]\nexcludes = 3\n[tool]\nx = 1\n")) == Config()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("24h", 86400), ("7d", 604800), ("2w", 1209600), ("none", None)],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "h", "-1h", "0h", "1.5h", "24 h", "24H", "1h30m", "never", "٣h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(86400, "24h"), (604800, "1w"), (90, "90s"), (600, "10m"), (None, "none")]
)
def test_durations_are_written_as_people_do(seconds: int | None, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=1, max_value=10**10))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
