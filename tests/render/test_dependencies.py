"""The line that a new dependency gets: where, how, and when it is left to a command."""

from __future__ import annotations

import difflib
import itertools
import tomllib
from pathlib import Path

import pytest

from unstate.changes.apply import apply
from unstate.render.dependencies import Declared, declared

NEEDS = ("boto3>=1.36", "redis>=5")

PROJECT = '[project]\nname = "shop"\ndependencies = [\n{}]\n\n[tool.x]\ny = 1\n'
POETRY = '[tool.poetry]\nname = "shop"\n\n[tool.poetry.dependencies]\npython = "^3.11"\n{}\n# next\n[tool.x]\ny = 1\n'
# File, before, after.
EDITS = [
    ("requirements.txt", "flask\nuvicorn\n", "boto3>=1.36\nflask\nredis>=5\nuvicorn\n"),
    ("requirements.txt", "uvicorn\nflask\n", "uvicorn\nflask\nboto3>=1.36\nredis>=5\n"),
    (
        "requirements.txt",
        "# web\nflask\n\n# mail\naiosmtplib",
        "# web\nflask\n\n# mail\naiosmtplib\nboto3>=1.36\nredis>=5",
    ),
    ("requirements.txt", "uvicorn\r\nflask\r\n", "uvicorn\r\nflask\r\nboto3>=1.36\r\nredis>=5\r\n"),
    ("requirements.txt", "", "boto3>=1.36\nredis>=5\n"),
    (
        "requirements.txt",
        "Redis [hiredis] >= 5.1  # ours\nflask\n",
        "Redis [hiredis] >= 5.1  # ours\nflask\nboto3>=1.36\n",
    ),
    ("requirements.txt", "# redis\nflask\n", "# redis\nboto3>=1.36\nflask\nredis>=5\n"),
    ("requirements.txt", "celery[redis]\ndjango-redis\n", "boto3>=1.36\ncelery[redis]\ndjango-redis\nredis>=5\n"),
    ("requirements.txt", "git+https://example.org/r.git#egg=redis\nboto3\n", None),
    ("requirements.txt", "redis @ https://example.org/redis.whl\nBoto3==1.40.1 ; python_version > '3'\n", None),
    ("requirements/base.txt", "flask\n", "boto3>=1.36\nflask\nredis>=5\n"),
    (
        "pyproject.toml",
        PROJECT.format('  "flask",\n  "uvicorn",  # serves\n'),
        PROJECT.format('  "boto3>=1.36",\n  "flask",\n  "redis>=5",\n  "uvicorn",  # serves\n'),
    ),
    (
        "pyproject.toml",
        PROJECT.format("    'uvicorn',\n    'flask'\n").replace("\n", "\r\n"),
        PROJECT.format("    'uvicorn',\n    'flask',\n    \"boto3>=1.36\",\n    \"redis>=5\"\n").replace("\n", "\r\n"),
    ),
    (
        "pyproject.toml",
        PROJECT.format('  "flask",\n  # not uvicorn\'s\n  "uvicorn",\n'),
        PROJECT.format('  "boto3>=1.36",\n  "flask",\n  # not uvicorn\'s\n  "redis>=5",\n  "uvicorn",\n'),
    ),
    (
        "pyproject.toml",
        '[project]\nname = "shop"\ndependencies = ["flask"] # all\n',
        '[project]\nname = "shop"\ndependencies = ["boto3>=1.36", "flask", "redis>=5"] # all\n',
    ),
    (
        "pyproject.toml",
        '[project]\nname = "shop"\n\n[tool.x]\ny = 1\n',
        '[project]\nname = "shop"\ndependencies = ["boto3>=1.36", "redis>=5"]\n\n[tool.x]\ny = 1\n',
    ),
    (
        "pyproject.toml",
        POETRY.format('flask = "*"\n'),
        POETRY.format('flask = "*"\nboto3 = ">=1.36"\nredis = ">=5"\n'),
    ),
    ("pyproject.toml", POETRY.format('redis = {version = "^5.0", extras = ["hiredis"]}\nboto3 = "*"\n'), None),
    ("pyproject.toml", PROJECT.format('  "redis",\n  "boto3[crt]~=1.30",\n'), None),
]


def lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text.encode())


def add(root: Path, *needs: str, service: str = ".") -> Declared:
    """What is said; the files are written."""
    found = declared(root, {service: needs})
    apply(root, found.changes)
    return found


@pytest.mark.parametrize(("name", "before", "after"), EDITS)
def test_one_entry_and_every_other_byte_as_it_was(tmp_path: Path, name: str, before: str, after: str | None) -> None:
    lay(tmp_path, {name: before})
    found = add(tmp_path, *NEEDS)
    text = (tmp_path / name).read_bytes().decode()
    assert text == (before if after is None else after)
    assert found.files == (name,)
    assert add(tmp_path, *NEEDS).changes == ()


@pytest.mark.parametrize(("name", "before", "after"), EDITS)
@pytest.mark.parametrize("order", list(itertools.permutations(NEEDS)))
def test_one_after_the_other_is_both_at_once(
    tmp_path: Path, name: str, before: str, after: str | None, order: tuple[str, ...]
) -> None:
    lay(tmp_path, {name: before})
    for need in order:
        add(tmp_path, need)
    assert (tmp_path / name).read_bytes().decode() == (before if after is None else after)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ()),
        ({"README.md": "redis"}, ()),
        ({"pyproject.toml": "[tool.black]\nline-length = 100\n"}, ()),
        ({"pyproject.toml": "not [ toml"}, ()),
        ({"Pipfile": "[packages]\n"}, ("Pipfile is not edited", 'pipenv install "boto3>=1.36" "redis>=5"')),
        ({"setup.py": "setup(install_requires=[])"}, ("setup.py is not edited", "install_requires")),
        ({"requirements.txt": "flask==3 \\\n    --hash=sha256:00\n"}, ("requirements.txt is not edited",)),
        (
            {"requirements.txt": "#\n# This file is autogenerated by pip-compile with Python 3.12\n#\nflask==3\n"},
            ("requirements.txt is not edited", "redis>=5"),
        ),
    ],
)
def test_what_is_left_alone(tmp_path: Path, files: dict[str, str], words: tuple[str, ...]) -> None:
    lay(tmp_path, files)
    found = add(tmp_path, *NEEDS)
    assert (found.files, found.changes) == ((), ())
    assert bool(found.advice) == bool(words)
    for word in words:
        assert word in found.advice[0]


@pytest.mark.parametrize(
    ("files", "edited", "words"),
    [
        ({"pyproject.toml": PROJECT.format(""), "uv.lock": ""}, "pyproject.toml", "run `uv lock`"),
        ({"pyproject.toml": POETRY.format(""), "poetry.lock": ""}, "pyproject.toml", "run `poetry lock`"),
        (
            {"requirements.in": "flask\n", "requirements.txt": "flask==3 --hash=sha256:00\n"},
            "requirements.in",
            "`pip-compile requirements.in`",
        ),
    ],
)
def test_what_was_locked_is_made_anew_by_a_command(
    tmp_path: Path, files: dict[str, str], edited: str, words: str
) -> None:
    lay(tmp_path, files)
    found = add(tmp_path, *NEEDS)
    assert [change.path for change in found.changes] == [edited]
    assert words in found.advice[0]
    assert add(tmp_path, *NEEDS).advice == ()


def test_both_files_of_a_project_that_has_two_lists(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": PROJECT.format('  "flask",\n'), "requirements.txt": "flask\n"})
    assert add(tmp_path, *NEEDS).files == ("pyproject.toml", "requirements.txt")


@pytest.mark.parametrize("project", ['dynamic = ["dependencies"]\n', ""])
def test_a_project_that_keeps_its_list_elsewhere(tmp_path: Path, project: str) -> None:
    lay(tmp_path, {"pyproject.toml": f'[project]\nname = "shop"\n{project}', "requirements.txt": "flask\n"})
    assert add(tmp_path, *NEEDS).files == ("requirements.txt",)


def test_an_entry_in_a_file_that_is_taken_in(tmp_path: Path) -> None:
    lay(tmp_path, {"requirements.txt": "-r base.txt\nflask\n", "base.txt": "redis\n-r requirements.txt\n"})
    add(tmp_path, *NEEDS)
    assert (tmp_path / "requirements.txt").read_text() == "-r base.txt\nboto3>=1.36\nflask\n"


@pytest.mark.parametrize("entry", ["redis==4.6.0", "redis~=4.5", "redis<5", "redis>=3,<5  # old"])
def test_a_version_that_is_too_old_is_kept_and_told(tmp_path: Path, entry: str) -> None:
    lay(tmp_path, {"requirements.txt": f"{entry}\n"})
    found = add(tmp_path, "redis>=5")
    assert found.changes == ()
    assert found.advice == (f"requirements.txt keeps {entry}, but the result needs redis>=5",)


@pytest.mark.parametrize("entry", ["redis", "redis==5.*", "redis>=4,<6", "redis>5,<6", "redis>=4.2", "redis==7.0.1"])
def test_a_version_that_fits_is_not_spoken_of(tmp_path: Path, entry: str) -> None:
    lay(tmp_path, {"requirements.txt": f"{entry}\n"})
    assert add(tmp_path, "redis>=5").advice == ()


def test_the_nearest_file_at_or_above_the_service(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"requirements.txt": "flask\n", "web/requirements.txt": "flask\n", "jobs/run.py": "", "web/a/b.py": ""},
    )
    assert add(tmp_path, *NEEDS, service="web/a").files == ("web/requirements.txt",)
    assert add(tmp_path, *NEEDS, service="jobs").files == ("requirements.txt",)


def test_two_services_with_one_list(tmp_path: Path) -> None:
    lay(tmp_path, {"requirements.txt": "flask\n", "web/a.py": "", "jobs/a.py": ""})
    found = declared(tmp_path, {"web": ["redis>=5"], "jobs": ["boto3>=1.36"]})
    assert [change.after for change in found.changes] == [b"boto3>=1.36\nflask\nredis>=5\n"]


def test_nothing_outside_of_the_scanned_root(tmp_path: Path) -> None:
    lay(tmp_path, {"requirements.txt": "flask\n", "app/a.py": "", "linked/a.py": ""})
    (tmp_path / "linked" / "requirements.txt").symlink_to(tmp_path / "requirements.txt")
    assert add(tmp_path / "app", *NEEDS) == Declared()
    linked = add(tmp_path / "linked", *NEEDS)
    assert (linked.files, linked.changes) == ((), ())
    assert "leads out of the scanned folder; add boto3>=1.36, redis>=5 by hand" in linked.advice[0]
    assert (tmp_path / "requirements.txt").read_text() == "flask\n"


def test_a_list_that_is_no_utf_8(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n", encoding="utf-16")
    found = add(tmp_path, *NEEDS)
    assert found.changes == ()
    assert "requirements.txt is not edited: it is not UTF-8" in found.advice[0]


def test_a_project_keeps_all_that_it_says(tmp_path: Path) -> None:
    own = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    lay(tmp_path, {"pyproject.toml": own})
    add(tmp_path, *NEEDS)
    after = (tmp_path / "pyproject.toml").read_text()
    changed = [line for line in difflib.ndiff(own.splitlines(), after.splitlines()) if not line.startswith("  ")]
    assert changed == ['+   "boto3>=1.36",', '+   "redis>=5",']
    assert tomllib.loads(after)["project"]["name"] == "unstate"
