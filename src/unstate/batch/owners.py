"""Who owns a path, as CODEOWNERS says: the last line that covers it counts, in each section."""

from __future__ import annotations

import re
from collections.abc import Callable

from unstate.batch.tree import Tree

_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_SECTION = re.compile(r"\^?\[([^\]]+)\](?:\[\d+\])?(.*)")


def owners(tree: Tree) -> Callable[[str], tuple[str, ...]]:
    """A function from a folder to its owners, in the order in which they are written."""
    import pathspec

    sections: dict[str, list[tuple[pathspec.GitIgnoreSpec, tuple[str, ...]]]] = {}
    place = next((path for path in _PLACES if path in tree), None)
    lines = sections.setdefault("", [])
    default: tuple[str, ...] = ()
    for line in tree.text(place).splitlines() if place else ():
        bare = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if section := _SECTION.fullmatch(bare):
            lines = sections.setdefault(section[1].lower(), [])
            default = tuple(section[2].split())
        elif bare:
            pattern, *named = re.split(r"(?<!\\)\s+", bare)
            try:
                spec = pathspec.GitIgnoreSpec.from_lines([pattern.replace("\\ ", " ")])
            except ValueError:
                continue  # a pattern that nothing matches, as the hosts have it
            lines.append((spec, tuple(named) or default))

    def of(folder: str) -> tuple[str, ...]:
        probe = "_" if folder == "." else f"{folder}/_"  # a file of no kind: `*.py @python` owns no service
        found: dict[str, None] = {}
        for lines in sections.values():
            last = next((named for spec, named in reversed(lines) if spec.match_file(probe)), ())
            found.update(dict.fromkeys(last))
        return tuple(found)

    return of
