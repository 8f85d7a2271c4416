"""## What it finds
`# unstate: ignore[RULE] why` on a line where the rule finds nothing.

## Why is this bad?
It was right once, or never. It will hide the next finding on that line, which nobody has judged.

## Example
```python
GREETINGS = {"en": "hello", "de": "hallo"}  # unstate: ignore[US108] filled at import only
```

## Use instead
```python
GREETINGS = {"en": "hello", "de": "hallo"}
```

## Fix safety
Not patched: delete the comment.

## References
- [Ruff: unused-noqa](https://docs.astral.sh/ruff/rules/unused-noqa/), the same idea
"""

from unstate.codemods import Codemod

CODEMOD = Codemod(
    code="US002",
    name="unused-suppression",
    summary="A comment suppresses a finding that is not there.",
)
