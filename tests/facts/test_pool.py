"""Sharing changes what facts are made of, never what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate import facts, index
from unstate.facts.pool import Pool
from unstate.facts.values import FileFacts
from unstate.index import Index, content_hash

SOURCES = sorted((Path(__file__).parents[2] / "src" / "unstate" / "link").glob("*.py"))


def read(path: Path) -> FileFacts:
    found = facts.read(path.name, path.read_bytes())
    assert isinstance(found, FileFacts)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_facts_say_the_same(path: Path) -> None:
    pool = Pool()
    shared = read(path)
    pool.share(shared)
    assert shared == read(path)
    assert index.encoded(shared) == index.encoded(read(path))


def test_what_two_files_say_alike_is_one_object(tmp_path: Path) -> None:
    source = b"import json\nlast_seen = {}\nlast_seen['a_b'] = json.loads(last_seen)\n"
    kept = Index(None)
    names = ("one.py", "two.py")
    kept.keep_facts({name: (content_hash(source), index.encoded(facts.read(name, source))) for name in names})
    one, two = kept.facts(dict.fromkeys(names, content_hash(source))).values()
    kept.close()
    assert isinstance(one, FileFacts)
    assert isinstance(two, FileFacts)
    assert one.refs == two.refs
    assert all(first.path is second.path for first, second in zip(one.refs, two.refs, strict=True))
    assert all(first.module is second.module for first, second in zip(one.imports, two.imports, strict=True))
