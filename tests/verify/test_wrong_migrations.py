"""Deliberately wrong migrations: each is caught, by the phase that is made for it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from unstate.verify import FAULTS, Backing, Fault, Outcome, check_case

HERE = Path(__file__).parent

# name, the functions called, the right text, the wrong one, faults to run, the phase that has to tell
PLAIN: list[tuple[str, tuple[str, ...], str, str, list[Fault], str]] = [
    (
        "a counter read, then written",
        ("hit",),
        'client.incrby(f"count:{page}", 1)',
        '(n := int(client.get(f"count:{page}") or 0) + 1, client.set(f"count:{page}", n))[0]',
        ["burst"],
        "burst",
    ),
    (
        "a job read, then deleted",
        ("begin", "finish"),
        'client.getdel(f"job:{job_id}")',
        'client.get(f"job:{job_id}")\n    client.delete(f"job:{job_id}")',
        ["burst"],
        "burst",
    ),
    (
        "a claim checked, then made",
        ("claim",),
        'bool(client.set(f"owner:{room}", who, nx=True))',
        'client.get(f"owner:{room}") is None and client.set(f"owner:{room}", who)',
        ["burst"],
        "burst",
    ),
    (
        "a write-back lost on early return",
        ("add_to_cart", "cart_of"),
        '            client.set(f"cart:{cart_id}", json.dumps(cart))\n            return "a lot"',
        '            return "a lot"',
        ["rotate"],
        "single",
    ),
    (
        "a record written back without its lock",
        ("add_to_cart", "cart_of"),
        '    with client.lock(f"cart:{cart_id}:lock", timeout=10):\n',
        "    if True:\n",
        ["burst"],
        "burst",
    ),
    (
        "a store left local",
        ("keep", "last"),
        'async_client.set("blob:last", data)',
        'async_client.ping()\n    app_blobs["last"] = data',
        ["rotate"],
        "rotate",
    ),
    ("milliseconds for seconds", ("send_code", "check_code"), '"1234", ex=30', '"1234", px=30', ["rotate"], "single"),
    (
        "a missing await",
        ("keep", "last"),
        'await async_client.set("blob:last", data)',
        'async_client.set("x", data)',
        ["rotate"],
        "single",
    ),
    (
        "keys run together",
        ("grant", "right_of"),
        "quote(user, safe='')}:{quote(thing, safe='')",
        "user}:{thing",
        ["rotate"],
        "single",
    ),
    (
        "a KeyError dropped",
        ("begin", "finish"),
        "    if name is None:\n        raise KeyError(job_id)\n",
        "",
        ["rotate"],
        "single",
    ),
]


def plain(into: Path, called: Sequence[str]) -> Path:
    """The plain case with those of its steps that call these functions: each costs processes in every phase."""
    folder = shutil.copytree(HERE / "plain", into / "plain")
    lines = (folder / "drive.py").read_text().splitlines(keepends=True)
    kept = [line for line in lines if "http.call" not in line or any(f'"{name}"' in line for name in called)]
    (folder / "drive.py").write_text("".join(kept))
    return folder


@pytest.mark.parametrize(("name", "called", "right", "wrong", "faults", "phase"), PLAIN, ids=[row[0] for row in PLAIN])
def test_a_wrong_migration_of_a_module_is_caught(
    name: str,
    called: tuple[str, ...],
    right: str,
    wrong: str,
    faults: list[Fault],
    phase: str,
    tmp_path: Path,
    backing: Backing,
) -> None:
    text = (HERE / "plain" / "after" / "app.py").read_text()
    assert right in text
    text = text.replace(right, wrong)
    if "app_blobs" in wrong:
        text += '\n\napp_blobs = {}\n\n\nasync def last():\n    return app_blobs.get("last")\n'
    folder = plain(tmp_path, called)
    (folder / "after" / "app.py").write_text(text)
    report = check_case(folder, backing=backing, faults=faults)
    assert report.outcome is Outcome.DIFFERS, report.text()
    assert report.phases[-1].name == phase, report.text()


WEB: list[tuple[str, str, str, str, str, list[Fault], str]] = [
    (
        "tokens left in the process",
        "flask_app",
        "routes.py",
        'redis_client.set(f"token:{token}", user, ex=3600)',
        'redis_client.set(f"token:{token}", user, ex=3600)\n    local[token] = user',
        ["rotate"],
        "rotate",
    ),
    (
        "an upload on the local disk",
        "flask_app",
        "routes.py",
        's3.put_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}", Body=content)',
        'open(f"/{__import__(\'tempfile\').gettempdir()}/{upload_id}", "wb").write(content)',
        ["rotate"],
        "rotate",
    ),
    (
        "a missing await",
        "fastapi_app",
        "main.py",
        'await stores.redis_client.set(f"token:{token}", body.user, ex=3600)',
        'stores.redis_client.set(f"token:{token}", body.user, ex=3600)',
        ["rotate"],
        "single",
    ),
    (
        "a counter read, then written, with an await between",
        "fastapi_app",
        "main.py",
        '    return {"visits": await stores.redis_client.incrby("visits", 1)}',
        '    n = int(await stores.redis_client.get("visits") or 0) + 1\n'
        '    await stores.redis_client.set("visits", n)\n    return {"visits": n}',
        ["burst"],
        "burst",
    ),
]


@pytest.mark.parametrize(
    ("name", "app", "file", "right", "wrong", "faults", "phase"), WEB, ids=[f"{row[1]}: {row[0]}" for row in WEB]
)
def test_a_wrong_migration_of_an_app_is_caught(
    name: str,
    app: str,
    file: str,
    right: str,
    wrong: str,
    faults: list[Fault],
    phase: str,
    tmp_path: Path,
    backing: Backing,
    examples: Path,
    migrated: Path,
) -> None:
    result = shutil.copytree(migrated / app, tmp_path / "result")
    text = (result / file).read_text()
    assert right in text
    text = text.replace(right, wrong)
    if "local[token]" in wrong:
        text = text.replace('redis_client.get(f"token:{token}")', "local.get(token)")
        text = text.replace('redis_client.getdel(f"token:{token}")', "local.pop(token, None)")
        text = text.replace("\n\ndef found", "\nlocal: dict[str, str] = {}\n\n\ndef found", 1)
    if "tempfile" in wrong:
        text = text.replace(
            's3.get_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}")["Body"].read()',
            'open(f"/{__import__(\'tempfile\').gettempdir()}/{upload_id}", "rb").read()',
        ).replace("s3.exceptions.NoSuchKey", "FileNotFoundError")
        text = text.replace(
            's3.delete_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}")',
            "__import__('os').remove(f\"/{__import__('tempfile').gettempdir()}/{upload_id}\")",
        )
    (result / file).write_text(text)
    report = check_case(examples / app, result, backing=backing, faults=faults)
    assert report.outcome is Outcome.DIFFERS, report.text()
    assert report.phases[-1].name == phase, report.text()
    assert report.exit_code == 1


def test_a_right_migration_passes_every_phase(tmp_path: Path, backing: Backing) -> None:
    called = ("begin", "finish", "keep", "last", "hit", "claim", "add_to_cart")
    report = check_case(plain(tmp_path, called), backing=backing, faults=FAULTS)
    assert report.ok, report.text()
    assert [phase.name for phase in report.phases] == ["baseline", "teeth", "single", *FAULTS]
