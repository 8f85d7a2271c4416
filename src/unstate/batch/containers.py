"""Dockerfiles, compose files, Procfiles, skaffold.yaml and App Engine's app.yaml: what is built from which folder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from unstate.batch import yamls
from unstate.batch.deployed import Count, Deployed, image_name, plain
from unstate.batch.holds import ONE_INSTANCE, STICKY, in_command
from unstate.batch.model import Hold
from unstate.batch.tree import Tree, folder_of, is_below, is_test_folder, join

_DOCKERFILE = re.compile(r"(?:^|/)(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.[dD]ockerfile$")
_COMPOSE = re.compile(r"(?:^|/)(?:docker-)?compose[\w.-]*\.ya?ml$")
_PYTHON = re.compile(
    r"python|gunicorn|uvicorn|hypercorn|uwsgi|daphne|granian|django|flask|celery|streamlit|\bpip3?\b|\buv\b|poetry"
    r"|pipenv|conda|\.py\b",
    re.IGNORECASE,
)
# Folders that hold nothing but how their parent is built.
_ASIDE = frozenset("docker .docker build deploy deployment deployments ops infra container containers ci".split())
# Commands that serve nobody: a base image, or one to be looked around in.
_IDLE = re.compile(
    r"(?:(?:/\S*/)?(?:ba|z|da)?sh(?:\s+-l?c)?|(?:/\S*/)?python[\d.]*|[\s;&'\"]+|(?:set|true|ls|sleep|tail|cat|echo|env)\b[^;&|]*)+"
)
_OWN = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile")
_VARIABLE = re.compile(r"\$\{(\w+)(?::?[-?]([^}]*))?\}|\$(\w+)")


def dockerfiles(tree: Tree) -> list[str]:
    """The Dockerfiles of a repository, those of tests left out."""
    return [path for path in tree.files if _DOCKERFILE.search(path) and not is_test_folder(folder_of(path))]


def dockerfile(tree: Tree, path: str, context: str = "") -> Deployed | None:
    """What a Dockerfile that runs Python starts, None for another one. `context`: the folder it is built from."""
    steps = list(_steps(tree.text(path)))
    starts = [(line, name, value) for line, name, value in steps if name in ("CMD", "ENTRYPOINT")]
    says_python = any(_PYTHON.search(value) for _, name, value in steps if name in ("FROM", "RUN", "CMD", "ENTRYPOINT"))
    root = _built(tree, path, [value for _, name, value in steps if name in ("COPY", "ADD")], context)
    if not starts or not says_python or not root:
        return None
    line, name, value = starts[-1]
    if _IDLE.fullmatch(_command(value)):
        return None
    holds = [
        hold
        for number, step, each in steps
        if step in ("CMD", "ENTRYPOINT", "ENV")
        for hold in in_command(path, number, _command(each))
    ]
    return Deployed(path, line, f"{name} {_short(_command(value))}", root, holds=tuple(holds))


def composes(tree: Tree) -> Iterator[Deployed]:
    """What compose files build here and run."""
    for path in tree.files:
        if not _COMPOSE.search(path) or is_test_folder(folder_of(path)):
            continue
        variables = _variables(tree, folder_of(path))
        for document in yamls.documents(tree.text(path)):
            services = yamls.at(document, "services")
            for name, service in services.items() if isinstance(services, dict) else ():
                if isinstance(service, dict) and service.get("build"):
                    yield from _composed(tree, path, services.lines.get(name, 0), name, service, variables)


def procfiles(tree: Tree) -> Iterator[Deployed]:
    """What Procfiles start."""
    for path in tree.files:
        if path.rpartition("/")[2] != "Procfile" or is_test_folder(folder_of(path)):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            kind, _, command = line.partition(":")
            if kind.strip() not in ("", "release") and _PYTHON.search(command):
                holds = tuple(in_command(path, number, command))
                yield Deployed(path, number, f"{kind}: {_short(command)}", folder_of(path), holds=holds)


def skaffolds(tree: Tree) -> Iterator[tuple[str, str]]:
    """(image, folder that it is built from), as skaffold.yaml files say."""
    for path in tree.files:
        if path.rpartition("/")[2] in ("skaffold.yaml", "skaffold.yml"):
            for document in yamls.documents(tree.text(path)):
                for table in yamls.tables(document):
                    image, context = table.get("image"), table.get("context")
                    if isinstance(image, str) and isinstance(context, str):
                        yield image_name(image), join(folder_of(path), context)


def app_engines(tree: Tree) -> Iterator[Deployed]:
    """What App Engine's files of a Python runtime deploy."""
    for path in tree.files:
        name = path.rpartition("/")[2]
        if name not in ("app.yaml", "app.yml") or is_test_folder(folder_of(path)):
            continue
        for document in yamls.documents(tree.text(path)):
            if not yamls.word(yamls.at(document, "runtime")).startswith("python"):
                continue
            holds = []
            for steps in (("manual_scaling", "instances"), ("automatic_scaling", "max_instances")):
                if yamls.at(document, *steps) == 1:
                    line = yamls.line_of(document, *steps)
                    holds.append(Hold(path=path, line=line, text=f"{steps[-1]}: 1", reason=ONE_INSTANCE))
            if yamls.at(document, "network", "session_affinity") is True:
                line = yamls.line_of(document, "network", "session_affinity")
                holds.append(Hold(path=path, line=line, text="session_affinity: true", reason=STICKY))
            runtime = yamls.word(yamls.at(document, "runtime"))
            names = tuple(yamls.texts(yamls.at(document, "service") or []))
            yield Deployed(path, 1, f"runtime: {runtime}", folder_of(path), names, holds=tuple(holds))


def _composed(
    tree: Tree, path: str, line: int, name: str, service: dict[str, Any], variables: dict[str, str]
) -> Iterator[Deployed]:
    build = service["build"]
    context, file = (build.get("context", "."), build.get("dockerfile", "")) if isinstance(build, dict) else (build, "")
    context, file = _filled(yamls.word(context), variables), _filled(yamls.word(file), variables)
    folder = join(folder_of(path), context)
    made = dockerfile(tree, where, folder) if (where := join(folder, file or "Dockerfile")) and where in tree else None
    if made is None or "$" in context + file:
        return
    images = [image_name(_filled(image, variables)) for image in yamls.texts(service.get("image") or [])]
    count = yamls.at(service, "deploy", "replicas")
    at = yamls.line_of(service, "deploy", "replicas")
    environment = service.get("environment")
    settings = (
        [f"{key}={yamls.word(value)}" for key, value in environment.items()]
        if isinstance(environment, dict)
        else yamls.texts(environment or [])
    )
    own = yamls.line_of(service, "environment") or line
    holds = [hold for each in settings for hold in in_command(path, own, each)]
    holds += in_command(path, yamls.line_of(service, "command") or line, " ".join(yamls.texts(service.get("command"))))
    labels = service.get("labels")
    for label in (
        [f"{key}={yamls.word(value)}" for key, value in labels.items()]
        if isinstance(labels, dict)
        else yamls.texts(labels or [])
    ):
        if re.search(r"sticky(?:\.cookie)?=true", label, re.IGNORECASE):
            at_labels = yamls.line_of(service, "labels")
            holds.append(Hold(path=path, line=at_labels, text=label, reason=STICKY))
    yield Deployed(
        path,
        line,
        f"service {name} is built here",
        made.root,
        (name, *images),
        name,
        Count(count, path, at) if isinstance(count, int) else None,
        tuple(holds),
    )


def _built(tree: Tree, path: str, copies: Iterable[str], context: str) -> str:
    """The folder whose Python a Dockerfile puts into its image: its own, else the one that it copies; "" for none."""
    folder = folder_of(path)
    while folder != "." and folder.rpartition("/")[2] in _ASIDE and folder not in tree.folders:
        folder = folder_of(folder)
    if folder in tree.folders and folder != ".":
        return folder
    sources: dict[str, None] = {}
    for copy in copies:
        words = _command(copy).split()
        for word in words[:-1]:
            if not word.startswith("--") and "--from=" not in copy:
                source = join(context or folder, word.rstrip("/*") or ".")
                source = folder_of(source) if source in tree else source
                if source in tree.folders and source != ".":
                    sources[source] = None
    outer = [each for each in sources if not any(each != other and is_below(each, other) for other in sources)]
    stem = plain(path.rpartition("/")[2].lower().replace("dockerfile", ""))
    if called := [each for each in outer if plain(each.rpartition("/")[2]) == stem]:
        return called[0]
    if folder == ".":  # a root that copies parts of itself is built from itself, unless the part has a manifest
        outer = [each for each in outer if any(f"{each}/{name}" in tree for name in _OWN)]
    if not outer and folder == "." and "." in tree.folders:
        return "."
    return outer[0] if len(outer) == 1 else ""


def _steps(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, instruction, value) of a Dockerfile."""
    import io

    from dockerfile_parse import DockerfileParser

    parser = DockerfileParser(fileobj=io.BytesIO(text.encode()))
    for step in parser.structure:
        yield step["startline"] + 1, step["instruction"].upper(), step["value"]


def _command(value: str) -> str:
    """A command in either of a Dockerfile's forms, as a line."""
    try:
        words = json.loads(value)
    except ValueError:
        return value
    return " ".join(str(word) for word in words) if isinstance(words, list) else value


def _short(command: str) -> str:
    text = " ".join(command.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _variables(tree: Tree, folder: str) -> dict[str, str]:
    path = join(folder, ".env")
    lines = [line.partition("=") for line in tree.text(path).splitlines() if "=" in line] if path in tree else []
    return {name.strip(): value.strip().strip("\"'") for name, _, value in lines if not name.lstrip().startswith("#")}


def _filled(text: str, variables: dict[str, str]) -> str:
    """A compose value with its variables; one that is not known stays as it is."""
    for _ in range(3):  # a variable may be made of others
        filled = _VARIABLE.sub(lambda match: variables.get(match[1] or match[3], match[2] or match[0]), text)
        if filled == text:
            break
        text = filled
    return text
