"""Settings that hold a deployment to one process are found where they stand; those that do not, are not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from unstate.batch.discover import discover
from unstate.batch.model import Service

APP = {"a/app.py": "from flask import Flask\napp = Flask(__name__)\n", "a/requirements.txt": "flask\n"}


def service(root: Path, files: dict[str, str]) -> Service:
    for path, text in {**APP, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    estate = discover(root)
    assert [each.root for each in estate.services] == ["a"]
    return estate.services[0]


def workload(spec: str, kind: str = "Deployment", head: str = "") -> str:
    return f"apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: a\n{head}spec:\n{spec}"


HELD: dict[str, tuple[str, str, int, str]] = {
    "gunicorn in a Dockerfile": ("a/Dockerfile", "FROM python\nCMD gunicorn -w 1 app:app\n", 2, "-w 1"),
    "a Dockerfile's list": (
        "a/Dockerfile",
        'FROM python\nENTRYPOINT ["uvicorn", "--workers", "1", "app:app"]\n',
        2,
        "--workers 1",
    ),
    "a Dockerfile's environment": (
        "a/Dockerfile",
        "FROM python\nENV WEB_CONCURRENCY=1\nCMD gunicorn app:app\n",
        2,
        "WEB_CONCURRENCY=1",
    ),
    "a Procfile": ("a/Procfile", "web: gunicorn app:app --workers=1\n", 1, "--workers=1"),
    "a start script": ("a/start.sh", "#!/bin/sh\nexec gunicorn \\\n  --workers 1 app:app\n", 2, "--workers 1"),
    "gunicorn's file": ("a/gunicorn.conf.py", "bind = ':80'\nworkers = 1  # state\n", 2, "workers = 1"),
    "uwsgi's file": ("a/uwsgi.ini", "[uwsgi]\nprocesses = 1\n", 2, "processes = 1"),
    "a server started in the code": ("a/run.py", "import uvicorn\nuvicorn.run('app:app', workers=1)\n", 2, "workers=1"),
    "replicas": ("k8s/x.yaml", workload("  replicas: 1\n"), 6, "replicas: 1"),
    "replicas of a stateful set": ("k8s/x.yaml", workload("  replicas: 1\n", "StatefulSet"), 6, "replicas: 1"),
    "recreate": ("k8s/x.yaml", workload("  strategy:\n    type: Recreate\n"), 7, "type: Recreate"),
    "a list of manifests": (
        "k8s/x.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: a}\n"
        "  spec: {replicas: 1}\n",
        7,
        "replicas: 1",
    ),
    "an autoscaler": (
        "k8s/x.yaml",
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: x}\nspec:\n"
        "  scaleTargetRef: {kind: Deployment, name: a}\n  maxReplicas: 1\n",
        6,
        "maxReplicas: 1",
    ),
    "a container's arguments": (
        "k8s/x.yaml",
        workload(
            "  template:\n    spec:\n      containers:\n      - name: a\n        args: [gunicorn, -w, '1', app]\n"
        ),
        10,
        "-w 1",
    ),
    "a container's environment": (
        "k8s/x.yaml",
        workload(
            "  template:\n    spec:\n      containers:\n      - name: a\n        env:\n"
            "        - name: WEB_CONCURRENCY\n          value: '1'\n"
        ),
        12,
        "WEB_CONCURRENCY=1",
    ),
    "a service with affinity": (
        "k8s/x.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {}\nspec:\n  selector: {app: a}\n  sessionAffinity: ClientIP\n",
        6,
        "sessionAffinity: ClientIP",
    ),
    "an ingress with a cookie": (
        "k8s/x.yaml",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  annotations:\n"
        "    nginx.ingress.kubernetes.io/affinity: cookie\nspec:\n  rules:\n  - http:\n      paths:\n"
        "      - backend: {service: {name: a}}\n",
        5,
        "nginx.ingress.kubernetes.io/affinity: cookie",
    ),
    "Cloud Run": (
        "k8s/x.yaml",
        "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\nspec:\n  template:\n    metadata:\n"
        "      annotations:\n        autoscaling.knative.dev/maxScale: '1'\n",
        8,
        "autoscaling.knative.dev/maxScale: 1",
    ),
    "a chart's values": ("a/chart/values.yaml", "image: x\nreplicaCount: 1\n", 2, "replicas: 1"),
    "a chart of many services": ("charts/values.yaml", "a:\n  replicas: 1\nb:\n  replicas: 2\n", 2, "replicas: 1"),
    "a chart's template": (
        "charts/templates/a.yaml",
        "{{- if .Values.a }}\n" + workload("  replicas: 1\n").replace("name: a", "name: {{ .Values.name }}"),
        7,
        "replicas: 1",
    ),
    "compose": ("compose.yaml", "services:\n  x:\n    build: a\n    deploy:\n      replicas: 1\n", 5, "replicas: 1"),
    "sticky sessions of traefik": (
        "compose.yaml",
        "services:\n  x:\n    build: a\n    labels:\n    - traefik.http.services.x.loadbalancer.sticky.cookie=true\n",
        4,
        "traefik.http.services.x.loadbalancer.sticky.cookie=true",
    ),
    "nginx": ("proxy/nginx.conf", "upstream x {\n  ip_hash;\n  server a:8000;\n}\n", 2, "ip_hash"),
    "haproxy": ("proxy/haproxy.cfg", "backend x\n  balance source\n  server one a:80\n", 2, "balance source"),
    "a deploying script": ("deploy.sh", "gcloud run deploy a \\\n  --max-instances=1\n", 1, "--max-instances=1"),
    "App Engine": (
        "a/app.yaml",
        "runtime: python312\nautomatic_scaling:\n  max_instances: 1\n",
        3,
        "max_instances: 1",
    ),
}
# What the chart and compose cases need beside their own file.
BESIDE = {
    "a/chart/values.yaml": {"a/chart/Chart.yaml": "name: whatever\n"},
    "charts/values.yaml": {"charts/Chart.yaml": "name: all\n"},
    "charts/templates/a.yaml": {"charts/Chart.yaml": "name: all\n"},
    "compose.yaml": {"a/Dockerfile": "FROM python\nCMD python app.py\n"},
}


@pytest.mark.parametrize("case", HELD)
def test_a_hold_is_found_with_its_place(tmp_path: Path, case: str) -> None:
    path, text, line, found = HELD[case]
    holds = service(tmp_path, {path: text, **BESIDE.get(path, {})}).holds
    assert [(each.path, each.line, each.text) for each in holds] == [(path, line, found)]
    assert holds[0].reason


FREE: dict[str, dict[str, str]] = {
    "uvicorn without workers": {"a/Procfile": "web: uvicorn app:app\n"},
    "many workers": {"a/Procfile": "web: gunicorn -w 16 app:app\n"},
    "ten workers": {"a/Procfile": "web: gunicorn --workers=10 app:app\n"},
    "a port": {"a/Procfile": "web: gunicorn --port 1 app:app\n"},
    "another program's option": {"a/start.sh": "ffmpeg -w 1\npytest --workers 1\n"},
    "a remark": {"a/start.sh": "# gunicorn -w 1 app:app\ngunicorn -w 4 app:app\n"},
    "workers that are counted": {"a/gunicorn.conf.py": "workers = 1 + 2 * cores\n"},
    "a thread pool": {"a/pool.py": "pool.run(max_workers=1)\n"},
    "more replicas": {"k8s/x.yaml": workload("  replicas: 2\n")},
    "one replica in one place, more in another": {
        "k8s/dev.yaml": workload("  replicas: 1\n"),
        "k8s/prod.yaml": workload("  replicas: 3\n"),
    },
    "none": {"k8s/x.yaml": workload("  replicas: 0\n")},
    "a rolling update": {"k8s/x.yaml": workload("  strategy: {type: RollingUpdate}\n")},
    "a job": {"k8s/x.yaml": workload("  parallelism: 1\n", "Job")},
    "another's replicas": {"k8s/x.yaml": workload("  replicas: 1\n").replace("name: a", "name: redis")},
    "a template's value": {"k8s/x.yaml": workload("  replicas: {{ .Values.replicas }}\n")},
    "no affinity": {
        "k8s/x.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  sessionAffinity: None\n"
    },
    "the tests' cluster": {"a/tests/k8s/x.yaml": workload("  replicas: 1\n")},
    "round robin": {"proxy/nginx.conf": "upstream x {\n  # ip_hash;\n  server a:8000;\n}\n"},
    "another's proxy": {"proxy/nginx.conf": "upstream x {\n  ip_hash;\n  server b:8000;\n}\n"},
    "broken YAML": {"k8s/x.yaml": "apiVersion: v1\nkind: Deployment\nmetadata: {name: a\nspec: {replicas: 1}\n"},
    "YAML that holds itself": {"k8s/x.yaml": "apiVersion: v1\nkind: &a {b: *a}\n"},
}


@pytest.mark.parametrize("case", FREE)
def test_what_holds_nothing(tmp_path: Path, case: str) -> None:
    assert service(tmp_path, FREE[case]).holds == ()


def test_a_workload_of_one_is_told_beside_one_of_many(tmp_path: Path) -> None:
    both = "---\n".join(
        workload(f"  replicas: {number}\n  template: {{spec: {{containers: [{{name: x, image: a}}]}}}}\n").replace(
            "name: a\n", f"name: {name}\n"
        )
        for name, number in (("a-web", 4), ("a-driver", 1))
    )
    found = service(tmp_path, {"k8s/x.yaml": both})
    assert (found.replicas, found.replicas_from) == (4, "k8s/x.yaml:6")
    assert [(each.line, each.text) for each in found.holds] == [(14, "replicas: 1")]


def test_yaml_that_grows_without_end_does_not(tmp_path: Path) -> None:
    names = "abcdefghijklmnopqrstuvwxyz"
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise(names)
    )
    spec = "metadata: {name: *z, annotations: *z}\nspec: {replicas: *z, template: {spec: {containers: *z}}}\n"
    files = {
        "k8s/x.yaml": f"apiVersion: v1\n{bomb}kind: Deployment\n{spec}",
        "k8s/y.yaml": f"apiVersion: v1\n{bomb}kind: *z",
    }
    assert service(tmp_path, files).holds == ()
