"""What a user installs: the wheel has all that travels with unstate, and works away from the repository."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("*.whl"))


def test_the_wheel_holds_every_file_that_travels_with_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    for folder in ("codemods", "templates", "examples"):
        files = [
            path for path in (REPOSITORY / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts
        ]
        assert files
        for path in files:
            if not path.name.startswith("."):
                assert f"unstate/{path.relative_to(REPOSITORY).as_posix()}" in packed
    assert "unstate/py.typed" in packed
    assert not [
        name for name in packed if name.startswith(("tests/", "codemods/", "templates/")) or "__pycache__" in name
    ]


def test_an_installed_wheel_finds_its_folders_and_explains_a_rule(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # unstate is the wheel's; what it depends on is taken from the environment that runs the tests.
    site_packages = next((environment / "lib").glob("python*")) / "site-packages"
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    (site_packages / "dependencies.pth").write_text("\n".join(borrowed))

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    program = (
        "import unstate; from unstate.resources import shipped\n"
        "print(unstate.__file__)\n"
        "for name in ('codemods', 'templates', 'examples'): print(shipped(name), any(shipped(name).iterdir()))"
    )
    package = site_packages / "unstate"
    assert run(python, "-c", program).splitlines() == [
        str(package / "__init__.py"),
        *(f"{package / name} True" for name in ("codemods", "templates", "examples")),
    ]
    assert run(environment / "bin" / "unstate", "explain", "US101").startswith("# session-in-process (US101)\n")
