"""Which folders are services, which are libraries, and which are neither: by evidence, and no guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from unstate.batch.discover import discover
from unstate.batch.model import Estate, Service
from unstate.config import ConfigError

Grow = Callable[[Mapping[str, str]], Estate]

FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
DOCKER = 'FROM python:3.12\nCOPY . /app\nCMD ["gunicorn", "app:app"]\n'
PACKAGE = '[project]\nname = "common"\nversion = "1"\n\n[build-system]\nrequires = ["hatchling"]\n'


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Writes files and looks for services among them."""

    def grown(files: Mapping[str, str]) -> Estate:
        for path, text in files.items():
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return discover(tmp_path)

    return grown


def roots(estate: Estate) -> list[str]:
    return [service.root for service in estate.services]


def only(estate: Estate) -> Service:
    assert len(estate.services) == 1, roots(estate)
    return estate.services[0]


EVIDENCE = {
    "a Dockerfile with CMD": ({"Dockerfile": DOCKER}, "Dockerfile:3: CMD gunicorn app:app"),
    "a Dockerfile with ENTRYPOINT": (
        {"Dockerfile": "FROM debian\nRUN pip install flask\nENTRYPOINT exec \\\n  ./start\n"},
        "Dockerfile:3: ENTRYPOINT exec ./start",
    ),
    "a Dockerfile of its own name": ({"web.Dockerfile": DOCKER}, "web.Dockerfile:3: CMD gunicorn app:app"),
    "a Dockerfile in a folder beside the code": (
        {"docker/Dockerfile": DOCKER},
        "docker/Dockerfile:3: CMD gunicorn app:app",
    ),
    "a Procfile": ({"Procfile": "release: ls\nweb: gunicorn app:app\n"}, "Procfile:2: web: gunicorn app:app"),
    "manage.py": ({"manage.py": "import django\n"}, "manage.py:1: a Django project"),
    "an Azure Functions app": ({"host.json": "{}"}, "host.json:1: an Azure Functions app"),
    "App Engine": ({"app.yaml": "runtime: python312\n"}, "app.yaml:1: runtime: python312"),
    "a manifest and an application": ({"requirements.txt": "flask\n"}, "app.py:3 makes a Flask"),
    "a project and an application": ({"pyproject.toml": '[project]\nname = "a"\n'}, "app.py:3 makes a Flask"),
}


@pytest.mark.parametrize("case", EVIDENCE)
def test_evidence_makes_a_service(grow: Grow, case: str) -> None:
    files, why = EVIDENCE[case]
    estate = grow({f"services/a/{path}": text for path, text in {"app.py": FLASK, **files}.items()})
    service = only(estate)
    assert (service.name, service.root) == ("a", "services/a")
    assert f"services/a/{why}" in service.why
    assert service.frameworks == (("django", "flask") if "manage.py" in files else ("flask",))
    assert estate.orphans == ()


NO_SERVICE: dict[str, dict[str, str]] = {
    "an application without a manifest": {"a/app.py": FLASK},
    "a manifest without an application": {"a/requirements.txt": "flask\n", "a/job.py": "import flask\n"},
    "a Dockerfile that starts nothing": {"a/Dockerfile": "FROM python:3.12\nRUN pip install x\n", "a/job.py": ""},
    "a class of that name": {"a/requirements.txt": "x", "a/app.py": "import flask\nclass A(my.web.Application): ...\n"},
    "a base image": {"a/Dockerfile": 'FROM python\nENTRYPOINT ["sh", "-c", "set && ls -la"]\n', "a/job.py": ""},
    "an image to look around in": {"a/Dockerfile": "FROM python\nCMD /bin/bash\n", "a/job.py": ""},
    "an image that waits": {"a/Dockerfile": "FROM python\nCMD tail -f /dev/null\n", "a/job.py": ""},
    "an interpreter": {"a/Dockerfile": 'FROM python\nCMD ["python3"]\n', "a/job.py": ""},
    "a Dockerfile for another language": {
        "a/Dockerfile": 'FROM node:20\nCMD ["node", "index.js"]\n',
        "a/generate.py": "print()\n",
    },
    "a Dockerfile without Python beside it": {"a/Dockerfile": DOCKER, "b/app.py": FLASK},
    "a Dockerfile that copies two folders, and says nothing of which": {
        "docker/Dockerfile": "FROM python:3\nCOPY one /x\nCOPY two /y\nCMD python x.py\n",
        "one/app.py": "",
        "one/requirements.txt": "flask",
        "two/app.py": "",
        "two/requirements.txt": "flask",
    },
    "tests": {"tests/Dockerfile": DOCKER, "tests/app.py": FLASK, "tests/requirements.txt": "flask\n"},
    "end-to-end tests": {"e2e_tests/Dockerfile": DOCKER, "e2e_tests/app.py": FLASK},
    "a service's tests": {"a/Dockerfile": DOCKER, "a/tests/app.py": FLASK},
    "settings of tools": {"a/pyproject.toml": "[tool.ruff]\nline-length = 100\n", "a/app.py": FLASK},
    "vendored code": {"vendor/a/Dockerfile": DOCKER, "vendor/a/app.py": FLASK},
    "an application of a test": {"a/requirements.txt": "flask", "a/lib.py": "", "a/test_app.py": FLASK},
    "a manage.py of one's own": {"a/manage.py": "import click\n"},
    "a commented application": {"a/requirements.txt": "flask", "a/app.py": "# from flask import Flask\n# Flask()\n"},
    "an image's name that nothing here has": {
        "a/app.py": FLASK,
        "k8s.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
    },
    "a manifest that is broken": {"a/pyproject.toml": "[project\n", "a/app.py": FLASK},
}


@pytest.mark.parametrize("case", NO_SERVICE)
def test_no_evidence_no_service(grow: Grow, case: str) -> None:
    assert grow(NO_SERVICE[case]).services == ()


def test_what_the_settings_name_comes_first(grow: Grow) -> None:
    files = {
        "pyproject.toml": '[[tool.unstate.service]]\nname = "shop"\nroot = "backend"\ntest = "make test X=\'a b\'"\n',
        "backend/app.py": FLASK,
        "jobs/Dockerfile": DOCKER,
        "jobs/app.py": FLASK,
    }
    estate = grow(files)
    assert [(each.name, each.root) for each in estate.services] == [("shop", "backend"), ("jobs", "jobs")]
    assert estate.services[0].why == ("pyproject.toml names it in [[tool.unstate.service]]",)
    assert estate.services[0].test_command == ("make", "test", "X=a b")


def test_what_the_settings_call_a_library_is_none_whatever_stands_there(grow: Grow) -> None:
    files = {
        "pyproject.toml": '[[tool.unstate.service]]\nname = "kit"\nroot = "shared"\nlibrary = true\n',
        "shared/app.py": FLASK,
        "shared/Dockerfile": DOCKER,
        "jobs/Dockerfile": DOCKER,
        "jobs/app.py": FLASK + "import shared.app\n",
    }
    estate = grow(files)
    assert roots(estate) == ["jobs"]
    assert [(each.name, each.root, each.used_by) for each in estate.libraries] == [("kit", "shared", ("jobs",))]


def test_settings_that_cannot_be_used_are_an_error(grow: Grow) -> None:
    with pytest.raises(ConfigError, match=r"pyproject\.toml:3"):
        grow({"pyproject.toml": '[[tool.unstate.service]]\nname = "a"\nroute = "a"\n'})


def test_members_of_a_workspace_are_services_or_libraries(grow: Grow) -> None:
    member = '[project]\nname = "{}"\nversion = "1"\n'
    estate = grow(
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["apps/*", "libs/*"]\nexclude = ["apps/old"]\n',
            "apps/a/pyproject.toml": member.format("a"),
            "apps/a/Dockerfile": DOCKER,
            "apps/a/app.py": FLASK + "import common\n",
            "apps/old/pyproject.toml": member.format("old"),
            "apps/old/job.py": "",
            "libs/common/pyproject.toml": member.format("common"),
            "libs/common/src/common/__init__.py": "",
        }
    )
    service = only(estate)
    assert service.why[0] == "pyproject.toml has it in [tool.uv.workspace]"
    assert service.libraries == ("libs/common",)
    assert [(each.name, each.root, each.used_by) for each in estate.libraries] == [("common", "libs/common", ("a",))]
    assert estate.orphans == ("apps/old/job.py",)


def test_a_file_belongs_to_its_deepest_root(grow: Grow) -> None:
    estate = grow(
        {
            "Dockerfile": DOCKER,
            "app.py": FLASK,
            "inner/Procfile": "web: gunicorn app:app\n",
            "inner/app.py": "from aiohttp import web\napp = web.Application()\n",
        }
    )
    assert [(each.root, each.frameworks) for each in estate.services] == [(".", ("flask",)), ("inner", ("aiohttp",))]


def test_code_that_stands_deeper_than_its_dockerfile_is_one_service(grow: Grow) -> None:
    service = only(grow({"a/Dockerfile": DOCKER, "a/backend/requirements.txt": "flask", "a/backend/app.py": FLASK}))
    assert (service.root, service.frameworks) == ("a", ("flask",))


def test_compose_tells_what_is_built_from_where(grow: Grow) -> None:
    estate = grow(
        {
            ".env": "WHERE=./services\n",
            "compose.yaml": (
                "services:\n"
                "  shop:\n    build: {context: ., dockerfile: docker/shop.Dockerfile}\n    image: acme/shop-web\n"
                "  jobs:\n    build: ${WHERE}/jobs\n"
                "  db:\n    image: postgres\n"
                "  other:\n    build: ${NOBODY_KNOWS}/x\n"
            ),
            "docker/shop.Dockerfile": "FROM python\nCOPY services/shop /app\nCOPY libs /libs\nCMD python app.py\n",
            "services/shop/app.py": FLASK,
            "services/jobs/Dockerfile": DOCKER,
            "services/jobs/app.py": FLASK,
            "libs/common.py": "",
            "k8s/shop.yaml": (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  template:\n"
                "    spec:\n      containers:\n      - {name: main, image: 'registry/acme/shop-web:1'}\n"
            ),
        }
    )
    assert roots(estate) == ["services/jobs", "services/shop"]
    jobs, shop = estate.services
    assert jobs.why == (
        "services/jobs/Dockerfile:3: CMD gunicorn app:app",
        "compose.yaml:5: service jobs is built here",
    )
    assert shop.why[1:] == ("compose.yaml:2: service shop is built here", "k8s/shop.yaml:2: Deployment web")
    assert (shop.replicas, shop.replicas_from) == (3, "k8s/shop.yaml:5")
    assert estate.orphans == ("libs/common.py",)


def test_names_that_would_be_twice_have_their_folder(grow: Grow) -> None:
    files = {f"{root}/{name}": text for root in ("x/api", "y/api/src", "web/src") for name, text in SERVICE.items()}
    assert [each.name for each in grow(files).services] == ["web", "x-api", "y-api"]


def test_a_name_that_stays_twice_is_numbered(grow: Grow) -> None:
    project = {"pyproject.toml": '[project]\nname = "shop"\n', "app.py": FLASK, "Procfile": "web: gunicorn app:app\n"}
    inner = {f"shop/{name}": text for name, text in SERVICE.items()}
    assert [(each.name, each.root) for each in grow({**project, **inner}).services] == [
        ("shop", "."),
        ("shop-2", "shop"),
    ]


SERVICE = {"Dockerfile": DOCKER, "app.py": FLASK}


def test_libraries_are_what_services_import(grow: Grow) -> None:
    estate = grow(
        {
            **{f"services/a/{name}": text for name, text in SERVICE.items()},
            **{f"services/b/{name}": text for name, text in SERVICE.items()},
            "services/a/main.py": "from acme.store import Store\n",
            "services/b/main.py": "import json, shared.tools as tools\n",
            "libs/store/pyproject.toml": PACKAGE,
            "libs/store/acme/store/__init__.py": "from acme import base\n",
            "libs/base/setup.py": "from setuptools import setup\nsetup(name='acme-base')\n",
            "libs/base/acme/base/__init__.py": "",
            "libs/cli/pyproject.toml": PACKAGE,
            "libs/cli/cli/__init__.py": FLASK,
            "shared/tools.py": "",
            "scripts/once.py": "",
        }
    )
    assert [(each.name, each.libraries) for each in estate.services] == [
        ("cli", ()),
        ("a", ("libs/base", "libs/store")),
        ("b", ("shared",)),
    ]
    assert [(each.root, each.used_by) for each in estate.libraries] == [
        ("libs/base", ("a",)),
        ("libs/store", ("a",)),
        ("shared", ("b",)),
    ]
    assert estate.orphans == ("scripts/once.py",)


NO_USE: dict[str, dict[str, str]] = {
    "a folder that bears the name of an installed package": {
        "src/a/Dockerfile": DOCKER,
        "src/a/app.py": FLASK + "from redis import Redis\n",
        "src/redis/run.py": "",
    },
    "a module of the service's own": {
        "a/Dockerfile": DOCKER,
        "a/app.py": FLASK + "import common\n",
        "a/common.py": "",
        "common/pyproject.toml": PACKAGE,
        "common/common/__init__.py": "",
    },
    "a module of the standard library": {
        "a/Dockerfile": DOCKER,
        "a/app.py": FLASK + "import queue\n",
        "queue/__init__.py": "",
    },
    "a name that two libraries have": {
        "a/Dockerfile": DOCKER,
        "a/app.py": FLASK + "import common\n",
        "x/pyproject.toml": PACKAGE,
        "x/common/__init__.py": "",
        "y/pyproject.toml": PACKAGE,
        "y/common/__init__.py": "",
    },
    "what only tests import": {
        "a/Dockerfile": DOCKER,
        "a/app.py": FLASK,
        "a/tests/test_app.py": "import common\n",
        "common/pyproject.toml": PACKAGE,
        "common/common/__init__.py": "",
    },
}


@pytest.mark.parametrize("case", NO_USE)
def test_no_library_is_used(grow: Grow, case: str) -> None:
    assert only(grow(NO_USE[case])).libraries == ()


def test_a_library_that_makes_an_application_is_none_where_others_import_it(grow: Grow) -> None:
    estate = grow(
        {
            "a/Dockerfile": DOCKER,
            "a/app.py": "from common import make\n",
            "common/pyproject.toml": PACKAGE,
            "common/common/__init__.py": "from flask import Flask\ndef make():\n    return Flask('x')\n",
        }
    )
    assert (roots(estate), [each.root for each in estate.libraries]) == (["a"], ["common"])


def test_the_package_around_services_is_their_library(grow: Grow) -> None:
    estate = grow(
        {
            "setup.py": "from setuptools import setup\nsetup(name='kit')\n",
            "kit/__init__.py": "",
            "kit/web.py": FLASK,
            "kit/mail/src/Dockerfile": DOCKER,
            "kit/mail/src/mail.py": "from kit.web import app\n",
        }
    )
    assert [(each.name, each.root, each.libraries) for each in estate.services] == [("mail", "kit/mail/src", (".",))]
    assert [(each.name, each.used_by) for each in estate.libraries] == [("kit", ("mail",))]


def test_a_folder_that_is_imported_makes_no_library_of_all_around_it(grow: Grow) -> None:
    estate = grow(
        {
            "requirements.txt": "ruff\n",
            "scripts/once.py": "",
            "worker/shared/tools.py": "",
            "worker/main/Dockerfile": DOCKER,
            "worker/main/app.py": FLASK + "from shared import tools\n",
        }
    )
    assert [(each.root, each.libraries) for each in estate.services] == [("worker/main", ("worker/shared",))]
    assert [each.root for each in estate.libraries] == ["worker/shared"]
    assert estate.orphans == ("scripts/once.py",)


def test_owners_are_those_of_the_last_line_that_covers_the_service(grow: Grow) -> None:
    owners = (
        "*  @all\n*.py @python\n/services/ @platform # who else\n/services/a/ @a-team a@example.com\n/services/c/\n"
    )
    files = {f"services/{name}/{file}": text for name in "abc" for file, text in SERVICE.items()}
    estate = grow({**files, ".github/CODEOWNERS": owners, "Dockerfile": DOCKER, "app.py": FLASK})
    assert {each.root: each.owners for each in estate.services} == {
        ".": ("@all",),
        "services/a": ("@a-team", "a@example.com"),
        "services/b": ("@platform",),
        "services/c": (),
    }


def test_owners_of_sections_are_added(grow: Grow) -> None:
    owners = "[Backend] @backend\n/a/\n\n^[Security][2] @sec\n*\n[Docs]\n/docs/ @writers\n"
    estate = grow({**{f"a/{name}": text for name, text in SERVICE.items()}, "CODEOWNERS": owners})
    assert only(estate).owners == ("@backend", "@sec")


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({}, None),
        ({"tests/helpers.py": ""}, None),
        ({"tests/test_app.py": ""}, ("python", "-m", "pytest", "-q")),
        ({"app_test.py": ""}, ("python", "-m", "pytest", "-q")),
        ({"manage.py": "", "shop/tests.py": ""}, ("python", "manage.py", "test")),
    ],
)
def test_how_a_service_is_tested(grow: Grow, files: dict[str, str], command: tuple[str, ...] | None) -> None:
    assert only(grow({f"a/{name}": text for name, text in {**SERVICE, **files}.items()})).test_command == command


def test_a_file_that_cannot_be_read_stops_nothing(grow: Grow, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "odd.py").write_bytes(b"\xff\xfe\x00from flask import\n")
    (tmp_path / "a" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    files = {"a/deploy.yaml": "apiVersion: v1\nkind: Service\nx: [\n", "a/Procfile": "web", "a/compose.yaml": "- *x\n"}
    assert only(grow({**{f"a/{name}": text for name, text in SERVICE.items()}, **files})).root == "a"
