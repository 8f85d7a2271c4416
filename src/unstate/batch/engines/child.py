"""One item in a process of its own, run as a script: what Dask's workers start, who must not die or hang themselves."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path


def main(given: Path, answer: Path) -> None:
    """Do the pickled call of one file, and leave its pickled outcome in the other."""
    attempt, keyed = pickle.loads(given.read_bytes())
    outcome = pickle.dumps(attempt(keyed))
    draft = answer.with_suffix(".new")
    draft.write_bytes(outcome)
    draft.replace(answer)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
