"""The harness of cases: a folder with drive.py, an original and a result."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.verify import FAULTS, App, Backing, CannotVerifyError, Outcome, Scenario, check_case, verify
from unstate.verify.client import Http
from unstate.verify.declared import planned

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["flask_app", "fastapi_app"])
def test_a_right_migration_gives_the_same_answers(name: str, examples: Path, migrated: Path, backing: Backing) -> None:
    report = check_case(examples / name, migrated / name, backing=backing)
    assert report.ok, report.text()
    assert [phase.name for phase in report.phases] == ["baseline", "teeth", "single", "kill"]


@pytest.mark.parametrize("name", ["flask_app", "fastapi_app"])
def test_the_examples_as_unstate_migrates_them_pass_every_fault(name: str, examples: Path, backing: Backing) -> None:
    case = HERE.parent / "fixtures" / name
    assert (case / "before").resolve() == (examples / name).resolve()
    report = check_case(case, backing=backing, faults=FAULTS, declared=planned(case / "before", case / "after"))
    assert report.ok, report.text()
    assert report.exit_code == 0
    assert [phase.name for phase in report.phases] == ["baseline", "teeth", "single", *FAULTS]


def test_the_excerpt_on_the_front_page_runs_and_proves_nothing(examples: Path, backing: Backing) -> None:
    # It answers nothing of what it keeps, so that nobody can tell from outside where that is.
    def drive(http: Http) -> None:
        http.call("login", "ann", "token")
        http.call("complete_upload", http.call("start_upload", b"content"))

    scenario = Scenario("excerpt", drive)
    original, result = (
        App(root, module="app", provides={"generate_id": "secrets:token_hex"})
        for root in (examples / "first", HERE.parent / "fixtures" / "first" / "after")
    )
    report = verify(result, scenario, backing, original=original)
    assert (report.outcome, report.exit_code) == (Outcome.NOTHING, 2), report.text()
    assert [phase.name for phase in report.phases] == ["baseline", "teeth"]
    alone = verify(result, scenario, backing)
    assert alone.ok, alone.text()
    assert backing.redis().dbsize() > 0


def test_functions_of_a_plain_module_are_called_with_their_values(backing: Backing) -> None:
    report = check_case(HERE / "plain", backing=backing)
    assert report.ok, report.text()


def test_an_unchanged_app_differs(examples: Path, backing: Backing) -> None:
    report = check_case(examples / "flask_app", examples / "flask_app", backing=backing, faults=["rotate"])
    assert report.outcome is Outcome.DIFFERS
    failed = report.phases[-1]
    assert failed.name == "rotate"
    assert failed.difference is not None
    assert failed.difference.field in {"status", "body.visits"}
    assert "one process" in report.text()
    assert "(pid " in report.text()


def case(folder: Path, drive: str, app: str = "def f():\n    return 1\n") -> Path:
    (folder / "before").mkdir()
    (folder / "before" / "app.py").write_text(app)
    (folder / "after").mkdir()
    (folder / "after" / "app.py").write_text(app)
    (folder / "drive.py").write_text(drive)
    return folder


def test_a_scenario_that_touches_no_state_proves_nothing(tmp_path: Path, backing: Backing) -> None:
    folder = case(tmp_path, "module = 'app'\ndef drive(http):\n    http.call('f')\n")
    report = check_case(folder, backing=backing)
    assert report.outcome is Outcome.NOTHING
    assert report.exit_code == 2
    assert report.phases[-1].name == "teeth"
    assert "touches no state" in report.text()


@pytest.mark.parametrize(
    ("drive", "app", "message"),
    [
        ("module = 'app'\n", "", "needs a function drive"),
        ("def drive(http):\n    pass\n", "", 'write app = "MODULE:APP"'),
        ("module = 'app'\ndef drive(http):\n    pass\n", "", "makes no request"),
        ("module = 'app'\ndef drive(http):\n    {}['x']\n", "", "drive.py:3: {}['x']"),
        ("module = 'app'\ndef drive(http) x\n", "", "drive.py does not run: SyntaxError"),
        (
            "module = 'app'\ndef drive(http):\n    http.call('f')\n",
            "import no_such_thing\n",
            "No module named 'no_such",
        ),
        ("app = 'app:app'\ndef drive(http):\n    http.get('/')\n", "def application(): pass\n", "it has application"),
        ("app = 'app:app'\ndef drive(http):\n    http.get('/')\n", "app = 3\n", "neither an app nor a factory"),
        ("app = 'run --fast'\ndef drive(http):\n    http.get('/')\n", "", "has no {port}"),
    ],
)
def test_what_cannot_run_says_why(tmp_path: Path, backing: Backing, drive: str, app: str, message: str) -> None:
    with pytest.raises(CannotVerifyError) as caught:
        check_case(case(tmp_path, drive, app), backing=backing)
    assert message in str(caught.value)
