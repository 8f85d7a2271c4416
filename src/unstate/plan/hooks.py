"""Functions that a framework runs beside the handler of a request: hooks, middleware, loaders, shared dependencies."""

from __future__ import annotations

import re

from unstate.plan.mentions import DEPENDING, Definition, Mentions

# Of what registers a function: `@app.before_request`, `@jwt.token_in_blocklist_loader`, `app.before_request(f)`.
_REGISTERS = re.compile(
    r"(before|after|teardown)_(app_)?request|(http_)?middleware|\w+_loader|verify_(password|token)|get_(password|user_roles)"
    r"|(app_)?context_processor|(app_)?url_value_preprocessor"
)
_METHODS = frozenset(
    "process_request process_view process_response prepare get_current_user authenticate has_permission".split()
)
_GOES_ON = frozenset({"call_next", "get_response"})  # parameters by which middleware calls what comes after it


def is_hook(definition: Definition, mentions: Mentions) -> bool:
    """Whether a framework runs a function for requests that have handlers of their own."""
    node = definition.node
    arguments = {each.arg for each in node.args.args}
    if arguments & _GOES_ON and node.name != "__init__":
        return True
    if definition.owner:
        return node.name in _METHODS or (node.name in ("__call__", "dispatch") and "iddleware" in definition.owner)
    registered_by = {by for name, by in mentions.handed if name == node.name}
    decorated_by = {
        name
        for name, calls in mentions.run_before.items()
        for each in calls
        if each.function is node and each.how == "call"
    }
    return any(_REGISTERS.fullmatch(name) for name in registered_by | decorated_by) or _of_all(node.name, mentions)


def _of_all(name: str, mentions: Mentions) -> bool:
    """Whether a dependency is named elsewhere than at a parameter: for a whole application or router, or a type."""
    named = sum(mentions.handed[name, by] for by in DEPENDING)
    return named > sum(each.how == "depends" for each in mentions.run_before.get(name, ()))
