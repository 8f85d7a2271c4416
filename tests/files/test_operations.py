"""The proof: random sequences of operations on a real folder, and on what the pipeline makes of them over S3.

After every step the answer, the exception and all files must be equal; two S3 servers, synchronous and asynchronous.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .apps import pair
from .conftest import BUCKET

NAMES = ("a.txt", "b.bin", "sub/c.txt", "Grüße & more?.txt", "100%.txt", "tab\tname", "new\nline.txt", ".hidden.txt")
DEEP = int(os.environ.get("UNSTATE_PROOF_DEPTH", "1"))  # how many times the usual number of examples
IDS = ["sync", "async", "sync beside local files", "async beside local files"]
LOOP = asyncio.new_event_loop()

name = st.sampled_from(NAMES)
data = st.binary(max_size=12)
text = st.text(st.sampled_from("aß\n\r\t 中"), max_size=8)
STEPS = {
    "write": (name, data),
    "fail": (name, data),
    "write_text": (name, text),
    "append": (name, data),
    "write_path": (name, text),
    "write_bytes": (name, data),
    "write_zip": (name, data),
    "read_zip": (name,),
    "read": (name,),
    "read_parts": (name, st.integers(0, 14)),
    "read_lines": (name,),
    "read_all": (name,),
    "exists": (st.sampled_from((*NAMES, "sub", "nothing")),),
    "stat": (name,),
    "names": (),
    "globbed": (),
    "remove": (name,),
    "unlink": (name,),
    "remove_tree": (),
    "rename": (name, name),
    "replace": (name, name),
    "copy": (name, name),
    "touch": (name, st.booleans()),
    "walked": (),
    "copy_tree": (st.sampled_from(("sub 2", "sub 3")),),
    "aio": (name, text),
}
step = st.one_of([st.tuples(st.just(each), st.tuples(*arguments)) for each, arguments in STEPS.items()])


@dataclass
class Pair:
    before: Any
    after: Any
    disk: Path
    s3: Any

    def objects(self) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        keys = [each["Key"] for each in listed if not each["Key"].endswith("/")]
        return {key: self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def files(self) -> dict[str, bytes]:
        found = [path for path in (self.disk / "files").rglob("*") if path.is_file()]
        return {key(path.relative_to(self.disk).as_posix()): path.read_bytes() for path in found}

    def local(self, app: Any) -> dict[str, bytes]:
        """What lies in the folder that stays, where there is one."""
        folder = Path(getattr(app, "LOCAL", self.disk / "nothing"))
        return {path.name: path.read_bytes() for path in folder.glob("*")}

    def clean(self) -> None:
        """A folder that is empty is not there in S3: the difference that the patch names."""
        for path in sorted((self.disk / "files" / "here").rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def key(path: str) -> str:
    """Control characters and the percent sign are escaped in keys."""
    return "".join(f"%{ord(sign):02X}" if sign < " " or sign == "%" else sign for sign in path)


@pytest.fixture(params=[(False, False), (True, False), (False, True), (True, True)], ids=IDS)
def both(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Pair:
    asynchronous, elsewhere = request.param
    before, after = pair(tmp_path, asynchronous=asynchronous, elsewhere=elsewhere)
    disk = tmp_path / "disk"
    disk.mkdir()
    monkeypatch.chdir(disk)
    return Pair(before, after, disk, boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL_S3"]))


def call(function: Any, arguments: tuple[Any, ...]) -> Any:
    try:
        answer = function(*arguments)
        return LOOP.run_until_complete(answer) if inspect.iscoroutine(answer) else answer
    except (OSError, ValueError, EOFError) as error:
        return type(error).__name__


def test_random_steps_give_the_same_answers_and_files(both: Pair) -> None:
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

    @settings(
        max_examples=4 * DEEP,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=checks,
        derandomize=True,
        database=None,
    )
    @given(st.lists(step, min_size=12, max_size=30))
    def run(steps: list[tuple[str, tuple[Any, ...]]]) -> None:
        for stored in both.objects():
            both.s3.delete_object(Bucket=BUCKET, Key=stored)
        for path in sorted((both.disk / "files").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        for path in [
            each for app in (both.before, both.after) for each in Path(getattr(app, "LOCAL", "none")).glob("*")
        ]:
            path.unlink()
        (both.disk / "files" / "here" / "sub").mkdir(parents=True)
        assert call(both.before.write, ("sub/c.txt", b"first")) == call(both.after.write, ("sub/c.txt", b"first"))
        for action, arguments in steps:
            (both.disk / "files" / "here" / "sub").mkdir(exist_ok=True)
            if action in ("names", "exists", "globbed", "remove_tree", "walked", "copy_tree"):
                both.clean()
            if action == "copy_tree":  # a folder that is there and empty: nothing is copied
                (both.disk / "files" / "here" / "sub").mkdir(exist_ok=True)
            expected = call(getattr(both.before, action), arguments)
            assert (action, arguments, call(getattr(both.after, action), arguments)) == (action, arguments, expected)
            assert both.objects() == both.files(), (action, arguments)
            assert both.local(both.after) == both.local(both.before), (action, arguments)

    run()
