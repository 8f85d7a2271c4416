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
from pathlib import Path

from backing_services import save_upload, send_stored_file_from
from flask import Flask, request
from werkzeug.utils import secure_filename

app = Flask(__name__)
UPLOADS = Path("uploads")


@app.post("/files")
def upload():
    file = request.files["file"]
    save_upload(file, UPLOADS / secure_filename(file.filename))
    return "ok"


@app.get("/files/<name>")
def download(name: str):
    return send_stored_file_from(UPLOADS, name)
```

A path stays what it is, as a name: the key of the S3 object follows from it. So checks that keep a path below its
folder go on to work, and paths in a database stay valid.

## Fix safety
A folder and all that touches it move together or not at all, and a store that keeps the paths of its files moves with
them. What needs a real path (an image library, a program) gets a local copy while it runs. Nothing is made of a folder
below Flask's `static`, of one that something outside Python reads, and of a path that is handed to code that may open
it later. A file is there for others once it is closed, and not at all where writing it failed. Folders are not made,
so an empty one is not there. `copy_files.py`, which comes with the change, copies the files that are there already.

What Django keeps in MEDIA_ROOT moves by its own setting: `STORAGES` (before Django 4.2 `DEFAULT_FILE_STORAGE`) names a
storage made of django-storages' one for S3, which keeps names, URLs and the rule that no file takes another's place.
`FileSystemStorage()` becomes that storage, `photo.image.path` the name for it, and a route to `serve` one that streams
from S3. A decision, `serving`, has clients fetch files from S3 itself, by URLs that are signed for them.

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
