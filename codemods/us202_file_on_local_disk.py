"""## What it finds
A folder into which requests write (`open`, `Path.write_bytes`, `FileStorage.save`, `shutil`, aiofiles, a storage of the
framework) and from which other requests read, list, serve or delete. Temporary files that end with their request are
left alone.

## Why is this bad?
Local disk is memory that happens to be slower: with two machines a file is on one of them, and in a container it is
gone after the next deployment.

## Example
```python
from pathlib import Path

from flask import Flask, request, send_from_directory
from werkzeug.utils import secure_filename

app = Flask(__name__)
UPLOADS = Path("uploads")


@app.post("/files")
def upload():
    file = request.files["file"]
    file.save(UPLOADS / secure_filename(file.filename))
    return "ok"


@app.get("/files/<name>")
def download(name: str):
    return send_from_directory(UPLOADS, name)
```

## Use instead
```python
from backing_services import UPLOAD_BUCKET, s3
from flask import Flask, Response, request
from werkzeug.utils import secure_filename

app = Flask(__name__)


@app.post("/files")
def upload():
    file = request.files["file"]
    s3.upload_fileobj(file.stream, UPLOAD_BUCKET, f"uploads/{secure_filename(file.filename)}")
    return "ok"


@app.get("/files/<name>")
def download(name: str):
    reply = s3.get_object(Bucket=UPLOAD_BUCKET, Key=f"uploads/{name}")
    return Response(reply["Body"].iter_chunks(), content_type=reply["ContentType"])
```

## Fix safety
A folder and all that touches it move together or not at all. Paths that are stored elsewhere (in a database) do not
move with it. Code that needs a real path has no patch unless a temporary copy serves it.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [boto3 upload_fileobj](https://boto3.amazonaws.com/v1/documentation/api/latest/guide/s3-uploading-files.html)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US202",
    name="file-on-local-disk",
    kinds=(Kind.FILE_STORE,),
    summary="Files that outlive a request are kept on the local disk of one machine.",
    breaks="A second machine does not have the file, and a container that is replaced takes its files with it.",
    instead="an object store: one object a file, its name as the key",
    prefix="files",
)
