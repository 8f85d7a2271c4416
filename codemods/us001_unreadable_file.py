"""## What it finds
A file that is no valid Python (a syntax error, an encoding that does not fit its bytes), that is newer than the Python
that runs unstate, that cannot be opened, or that brought a worker down.

## Why is this bad?
Silence about a file reads like "nothing found". All other files are done; this one is
named with the line and the reason.

## Example
```python
def broken(:
    pass
```

## Use instead
Repair the file, run unstate with a newer Python, or exclude the file in `[tool.unstate]`:

```toml
[tool.unstate]
exclude = ["legacy/broken.py"]
```

## Fix safety
Not patched.

## References
- [PEP 263: defining source code encodings](https://peps.python.org/pep-0263/)
"""

from unstate.codemods import Codemod

CODEMOD = Codemod(
    code="US001",
    name="unreadable-file",
    summary="A file could not be read, so nothing is known about the state it may hold.",
)
