"""What `unstate batch list` shows: each service, why it is one, and what holds it beside the stores that force it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from unstate.batch.model import Estate, Library, Service
from unstate.batch.tree import deepest, folder_of
from unstate.model import Finding
from unstate.report.words import count

_MOST = 5  # lines of one kind; all are in the JSON


def listing(estate: Estate, stores: Mapping[str, Sequence[Finding]] | None = None) -> str:
    """The estate as text. `stores`: what was found in each service, by its name; None where nobody looked."""
    width = max((len(service.name) for service in estate.services), default=0)
    blocks = ["\n".join(_service(service, width, stores)) for service in estate.services]
    if estate.libraries:
        blocks.append("\n".join(["Libraries", *(f"  {line}" for line in _libraries(estate.libraries))]))
    if estate.orphans:
        blocks.append("\n".join(["Python files of no service", *_orphans(estate.orphans)]))
    return "\n\n".join([*blocks, _summary(estate)]) + "\n"


def listing_json(estate: Estate, stores: Mapping[str, Sequence[Finding]] | None = None) -> bytes:
    """The estate as JSON, with the stores of each service where somebody looked."""
    document = {"schema": "unstate.estate/1", **msgspec.to_builtins(estate)}
    if stores is not None:
        document["stores"] = {
            name: [
                {
                    "id": each.id,
                    "kind": each.kind,
                    "name": each.store.name,
                    "path": each.store.path,
                    "line": each.store.span.line,
                }
                for each in found
            ]
            for name, found in sorted(stores.items())
        }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _service(service: Service, width: int, stores: Mapping[str, Sequence[Finding]] | None) -> Iterator[str]:
    head = [service.name.ljust(width), service.root, ", ".join(service.frameworks)]
    if service.replicas is not None:
        head.append(f"{count(service.replicas, 'replica')} ({service.replicas_from})")
    yield "  ".join(part for part in head if part)
    yield from _named("why", service.why)
    yield from _named("uses", (", ".join(service.libraries),) if service.libraries else ())
    yield from _named("owned by", (" ".join(service.owners),) if service.owners else ())
    yield from _named("held by", [f"{each.path}:{each.line}: {each.text} ({each.reason})" for each in service.holds])
    if stores is not None:
        yield from _named("keeps", _kept(service, stores.get(service.name, ())) or ["nothing that was found"], None)


def _kept(service: Service, found: Sequence[Finding]) -> list[str]:
    """The stores of a service, and how many there are in each of the libraries that it uses."""
    libraries = set(service.libraries)
    shared = Counter(root for each in found if (root := deepest(each.store.path, libraries)))
    own = [each for each in found if deepest(each.store.path, libraries) is None]
    return [
        *(f"{each.store.path}:{each.store.span.line}: {each.store.name} ({each.kind})" for each in own),
        *(f"{count(number, 'store')} in {root}" for root, number in sorted(shared.items())),
    ]


def _named(name: str, lines: Sequence[str], most: int | None = _MOST) -> Iterator[str]:
    shown = list(lines)
    if most is not None and len(lines) > most:
        shown = [*lines[: most - 1], f"and {len(lines) - most + 1} more"]
    for number, line in enumerate(shown):
        yield f"  {name if number == 0 else '':<9} {line}"


def _libraries(libraries: Sequence[Library]) -> Iterator[str]:
    for each in libraries:
        users = each.used_by if len(each.used_by) <= _MOST else (*each.used_by[: _MOST - 1], "...")
        number = count(len(each.used_by), "service")
        yield f"{each.root}  used by {number}: {', '.join(users)}" if users else f"{each.root}  used by no service"


def _orphans(orphans: Sequence[str]) -> Iterator[str]:
    for folder, number in sorted(Counter(folder_of(path) for path in orphans).items()):
        yield f"  {folder} ({number})"


def _summary(estate: Estate) -> str:
    held = sum(bool(service.holds) for service in estate.services)
    services, libraries = len(estate.services), len(estate.libraries)
    return (
        f"{count(services, 'service')}, {libraries} librar{'y' if libraries == 1 else 'ies'};"
        f" {held} held to one process by how they are deployed;"
        f" {count(len(estate.orphans), 'Python file')} of no service"
    )
