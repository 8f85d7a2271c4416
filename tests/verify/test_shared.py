"""Files that stand for a backing service: all processes have the same one, and each run begins with it as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.verify import App, Backing, CannotVerifyError, Outcome, Scenario, verify
from unstate.verify.client import Http

# A counter in a database of the app's own, read and written in two steps.
DATABASE = """
import os, sqlite3, time
os.makedirs("instance", exist_ok=True)
def connect():
    return sqlite3.connect("instance/data.db", timeout=20, isolation_level=None)
connect().execute("create table if not exists hits (n integer)")
def hit(kept=[]):
    con = connect()
    (n,) = con.execute("select count(*) from hits").fetchone()
    time.sleep(PAUSE)
    con.execute("insert into hits values (?)", (n,))
    return n + 1
"""


def drive(http: Http) -> None:
    for _ in range(4):
        http.call("hit")


HITS = Scenario("hits", drive)


def app(folder: Path, *shared: str, pause: float = 0.0) -> App:
    (folder / "app.py").write_text(DATABASE.replace("PAUSE", str(pause)))
    return App(folder, module="app", shared=shared)


def test_a_database_of_the_app_s_own_is_one_for_all_processes(tmp_path: Path, backing: Backing) -> None:
    alone = verify(app(tmp_path), HITS, backing, faults=["rotate"])
    assert alone.outcome is Outcome.DIFFERS
    assert alone.shared == ()
    for names in (("instance/data.db",), ("instance/",)):
        report = verify(app(tmp_path, *names), HITS, backing, faults=["rotate", "kill", "fresh", "roll"])
        assert report.ok, report.text()
        assert f"{names[0]}: shared by all processes" in report.text()
        assert report.shared == names
    assert not (tmp_path / "instance").exists()


def test_what_is_there_already_is_where_each_run_begins(tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "names.txt").write_text("ann\n")
    (tmp_path / "app.py").write_text(
        "def add(name):\n"
        "    with open('names.txt', 'a') as file:\n        file.write(name + '\\n')\n"
        "    return open('names.txt').read().split()\n"
    )

    def adds(http: Http) -> None:
        http.call("add", "bob")
        assert http.call("add", "cid") == ["ann", "bob", "cid"]

    report = verify(App(tmp_path, module="app", shared=("names.txt",)), Scenario("adds", adds), backing)
    assert [phase.name for phase in report.phases if phase.ok][:4] == ["baseline", "rotate", "kill", "fresh"]
    assert (tmp_path / "names.txt").read_text() == "ann\n"


def test_a_race_of_the_database_is_told_and_is_not_the_migration_s(tmp_path: Path, backing: Backing) -> None:
    report = verify(app(tmp_path, "instance/data.db", pause=0.05), HITS, backing, faults=["burst"])
    assert report.outcome is Outcome.SAME, report.text()
    assert "differs by instance/data.db: it changes nothing in Redis or S3" in report.text()


def test_a_race_in_redis_does_not_hide_behind_a_shared_file(tmp_path: Path, backing: Backing) -> None:
    racing = app(tmp_path, "instance/data.db")
    (tmp_path / "app.py").write_text(
        (tmp_path / "app.py").read_text()
        + "import redis\nclient = redis.Redis.from_url(os.environ['REDIS_URL'])\n"
        + "def count():\n    n = int(client.get('n') or 0) + 1\n    client.set('n', n)\n    return n\n"
    )
    report = verify(racing, Scenario("count", lambda http: [http.call("hit"), http.call("count")]), backing)
    assert report.outcome is Outcome.DIFFERS, report.text()
    assert report.phases[-1].name == "burst"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/tmp/data.db", "below the app's folder"),
        ("../data.db", "below the app's folder"),
        ("instance/date.db", "the app did not make it"),
    ],
)
def test_a_name_that_is_wrong(name: str, message: str, tmp_path: Path, backing: Backing) -> None:
    with pytest.raises(CannotVerifyError, match=message):
        verify(app(tmp_path, name), HITS, backing, faults=["rotate"])
