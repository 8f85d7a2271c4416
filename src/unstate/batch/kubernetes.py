"""Kubernetes manifests, Helm charts and Knative services: what runs, how often, and what keeps users on one process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from unstate.batch import yamls
from unstate.batch.deployed import Count, Deployed, image_name
from unstate.batch.holds import ONE_AFTER_THE_OTHER, ONE_INSTANCE, STICKY, in_command
from unstate.batch.model import Hold
from unstate.batch.tree import Tree, folder_of, is_test_folder

_WORKLOADS = frozenset(("Deployment", "StatefulSet", "Rollout", "DeploymentConfig", "ReplicaSet"))
_ROUTES = frozenset(("Ingress", "Service", "DestinationRule", "IngressRoute", "TraefikService", "VirtualService"))
# annotation -> (what its value looks like, why it holds)
_ANNOTATIONS = {
    "nginx.ingress.kubernetes.io/affinity": ("cookie", STICKY),
    "nginx.ingress.kubernetes.io/upstream-hash-by": (".", STICKY),
    "traefik.ingress.kubernetes.io/service.sticky.cookie": ("true", STICKY),
    "traefik.ingress.kubernetes.io/affinity": ("true", STICKY),
    "haproxy.org/cookie-persistence": (".", STICKY),
    "alb.ingress.kubernetes.io/target-group-attributes": (r"stickiness\.enabled=true", STICKY),
    "autoscaling.knative.dev/maxScale": ("1$", ONE_INSTANCE),
    "autoscaling.knative.dev/max-scale": ("1$", ONE_INSTANCE),
    "run.googleapis.com/sessionAffinity": ("true", STICKY),
}
# Keys of a chart's values that say how many pods there are.
_COUNTS = ("replicaCount", "replicas", "replicasCount")


def kubernetes(tree: Tree) -> Iterator[Deployed]:
    """What the manifests of a repository deploy, in order of path; those of tests are left out."""
    charts = {folder_of(path): path for path in tree.files if path.rpartition("/")[2] == "Chart.yaml"}
    for path in tree.files:
        if not path.endswith((".yaml", ".yml")) or is_test_folder(folder_of(path)):
            continue
        name = path.rpartition("/")[2]
        if name.startswith("values") and folder_of(path) in charts:
            chart = yamls.documents(tree.text(charts[folder_of(path)]))
            for document in yamls.documents(tree.text(path)):
                yield from _values(path, document, yamls.word(yamls.at(chart[0] if chart else None, "name")))
        elif b"apiVersion" in (content := tree.bytes(path)) and b"kind:" in content:
            for document in yamls.documents(tree.text(path)):
                yield from _document(path, document)


def _document(path: str, document: Any) -> Iterator[Deployed]:
    kind = yamls.word(yamls.at(document, "kind"))
    if kind == "List":
        for item in yamls.at(document, "items") or []:
            yield from _document(path, item)
    elif kind in _WORKLOADS or (kind == "Service" and "knative" in yamls.word(yamls.at(document, "apiVersion"))):
        yield _workload(path, document)
    elif kind == "HorizontalPodAutoscaler":
        if yamls.at(document, "spec", "maxReplicas") == 1:
            hold = _hold(path, document, ONE_INSTANCE, "spec", "maxReplicas")
            target = yamls.word(yamls.at(document, "spec", "scaleTargetRef", "name"))
            yield Deployed(path, hold.line, f"{kind} {target}", names=(target,), holds=(hold,), runs=False)
    elif kind in _ROUTES:
        holds = (*_annotated(path, document), *_routed(path, document))
        if holds:
            names = tuple(dict.fromkeys((*_backends(document), _name(document), _stem(path))))
            yield Deployed(path, holds[0].line, f"{kind} {_name(document)}", names=names, holds=holds, runs=False)


def _workload(path: str, document: Any) -> Deployed:
    pod = yamls.at(document, "spec", "template", "spec")
    containers = [each for each in yamls.at(pod, "containers") or [] if isinstance(each, yamls.Table)]
    images = [image_name(yamls.word(each["image"])) for each in containers if each.get("image")]
    own = [yamls.word(each["name"]) for each in containers if each.get("name")]
    label = yamls.texts(yamls.at(document, "spec", "template", "metadata", "labels", "app") or [])
    holds = [*_annotated(path, document), *_annotated(path, yamls.at(document, "spec", "template"))]
    if yamls.at(document, "spec", "strategy", "type") == "Recreate":
        holds.append(_hold(path, document, ONE_AFTER_THE_OTHER, "spec", "strategy", "type"))
    for each in containers:
        command = " ".join([*yamls.texts(each.get("command") or []), *yamls.texts(each.get("args") or [])])
        holds += in_command(path, each.lines.get("args") or each.lines.get("command") or 0, command)
        for setting in each.get("env") or []:
            if isinstance(setting, yamls.Table) and "value" in setting:
                line = setting.lines["value"]
                holds += in_command(path, line, f"{yamls.word(setting.get('name'))}={yamls.word(setting['value'])}")
    replicas = yamls.at(document, "spec", "replicas")
    line = yamls.line_of(document, "kind")
    return Deployed(
        path,
        line,
        f"{yamls.at(document, 'kind')} {_name(document)}",
        names=tuple(dict.fromkeys((*images, *own, _name(document), *label, _stem(path)))),
        workload=_name(document),
        processes=Count(replicas, path, yamls.line_of(document, "spec", "replicas"))
        if isinstance(replicas, int)
        else None,
        holds=tuple(dict.fromkeys(holds)),
    )


def _values(path: str, document: Any, chart: str) -> Iterator[Deployed]:
    """Counts and affinities among a chart's values, each named by the keys around it and by the chart."""
    for names, table in _named(document, ()):
        image = yamls.at(table, "image", "repository") or yamls.at(table, "image")
        told = [image_name(image)] if isinstance(image, str) else []
        told += [name for name in (table.get("name"), table.get("fullnameOverride")) if isinstance(name, str)]
        count = next((key for key in _COUNTS if isinstance(table.get(key), int)), None)
        holds = list(_annotated(path, {"metadata": table}))
        if table.get("sessionAffinity") == "ClientIP":
            holds.append(_hold(path, table, STICKY, "sessionAffinity"))
        if yamls.at(table, "strategy", "type") == "Recreate":
            holds.append(_hold(path, table, ONE_AFTER_THE_OTHER, "strategy", "type"))
        if count or holds:
            line = table.lines[count] if count else holds[0].line
            counted = Count(table[count], path, line) if count else None
            every = tuple(dict.fromkeys((*told, *reversed(names), chart)))
            what = f"values of the chart {chart}"
            yield Deployed(path, line, what, "", every, every[0], counted, tuple(holds), bool(count))


def _named(value: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yamls.Table]]:
    if isinstance(value, yamls.Table):
        yield names, value
        for key, inner in value.items():
            yield from _named(inner, (*names, key))


def _annotated(path: str, document: Any) -> Iterator[Hold]:
    annotations = yamls.at(document, "metadata", "annotations")
    for key, value in annotations.items() if isinstance(annotations, yamls.Table) else ():
        pattern, reason = _ANNOTATIONS.get(key, ("", ""))
        if reason and re.match(pattern, yamls.word(value).lower()):
            yield Hold(path=path, line=annotations.lines.get(key, 0), text=f"{key}: {value}", reason=reason)


def _routed(path: str, document: Any) -> Iterator[Hold]:
    for table in yamls.tables(yamls.at(document, "spec")):
        if table.get("sessionAffinity") == "ClientIP":
            yield _hold(path, table, STICKY, "sessionAffinity")
        if isinstance(table.get("consistentHash"), dict) and not table["consistentHash"].get("httpQueryParameterName"):
            yield Hold(path=path, line=table.lines["consistentHash"], text="consistentHash", reason=STICKY)
        if isinstance(table.get("sticky"), dict):
            yield Hold(path=path, line=table.lines["sticky"], text="sticky", reason=STICKY)


def _backends(document: Any) -> Iterator[str]:
    """Names of the workloads that a route leads to."""
    spec = yamls.at(document, "spec")
    yield from yamls.texts(yamls.at(spec, "selector", "app") or [])
    yield from (host.partition(".")[0] for host in yamls.texts(yamls.at(spec, "host") or []))
    for table in yamls.tables(spec):
        for service in (yamls.at(table, "service", "name"), table.get("serviceName")):
            if isinstance(service, str):
                yield service
        for each in table.get("services") or [] if isinstance(table.get("services"), list) else []:
            yield from yamls.texts(yamls.at(each, "name") or [])


def _hold(path: str, holder: Any, reason: str, *steps: str) -> Hold:
    text = f"{steps[-1]}: {yamls.word(yamls.at(holder, *steps))}"
    return Hold(path=path, line=yamls.line_of(holder, *steps), text=text, reason=reason)


def _name(document: Any) -> str:
    return yamls.word(yamls.at(document, "metadata", "name"))


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0]
