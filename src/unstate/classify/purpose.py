"""What files are for that hold nothing of a user's: logs, settings, secrets, models, locks."""

from __future__ import annotations

import re

from unstate.link.foldermap import Map
from unstate.link.places import ABSOLUTE, ANY, UNKNOWN, Place

_FOLDERS = re.compile(r"(^|_)logs$|^log$|(^|[_-])(models?|weights|checkpoints?|locales?|templates|migrations)$", re.I)
_FILES = re.compile(
    r"secret|passw|\.(env|ini|toml|cfg|conf|lock|pid|pem|key|crt|log|py|html|js|css|service|md|pth|onnx|safetensors)$"
    r"|^\.?env$|(^|[_.-])(config|settings|preferences|lock|version)([_.-]|$)",
    re.I,
)
_SYSTEM = frozenset("etc sys proc dev run boot bin sbin lib".split())
_NAMES = re.compile(
    r"(^|_)(log|logs|config|conf|settings|secret|key|lock|lockfile|pid|pidfile|models?|weights)(_|$)", re.I
)


def of_no_user(place: Place, names: Map) -> bool:
    """Whether a place is, by its name, for the program itself."""
    if place.root == ABSOLUTE and place.steps and place.steps[0] in _SYSTEM:
        return True
    if any(_FOLDERS.search(step) for step in place.steps if ANY not in step):
        return True
    last = place.steps[-1] if place.steps else ""
    if last and ANY not in last and _FILES.search(last):
        return True
    if last.rpartition(ANY)[2].startswith(".log"):
        return True
    called = names.names.get(place)
    if called is not None:
        bare = called.name.rpartition(".")[2].strip("[']")
    elif place.root == UNKNOWN and isinstance(place.detail, str) and not place.steps:
        bare = place.detail
    else:
        return False
    fixed = place.constant == place.steps and "." in last
    return _NAMES.search(bare) is not None and (fixed or not place.steps or _FOLDERS.search(bare) is not None)
