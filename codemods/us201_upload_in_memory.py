"""## What it finds
A container of bytes or file objects that one request fills with what it received, for a later request or task to
process.

## Why is this bad?
Uploading and processing meet in one process by luck only. The bytes also count against the memory of the process, for
as long as nobody fetches them.

## Example
```python
import uuid

from flask import Flask, request

app = Flask(__name__)
pending = {}


@app.post("/uploads")
def upload():
    upload_id = uuid.uuid4().hex
    pending[upload_id] = request.get_data()
    return upload_id


@app.get("/uploads/<upload_id>")
def download(upload_id: str):
    body = pending.get(upload_id)
    return ("gone", 404) if body is None else body
```

## Use instead
```python
import uuid

from backing_services import UPLOAD_BUCKET, get_object, s3
from flask import Flask, request

app = Flask(__name__)


@app.post("/uploads")
def upload():
    upload_id = uuid.uuid4().hex
    s3.put_object(Bucket=UPLOAD_BUCKET, Key=f"pending/{upload_id}", Body=request.get_data())
    return upload_id


@app.get("/uploads/<upload_id>")
def download(upload_id: str):
    body = get_object(f"pending/{upload_id}")
    return ("gone", 404) if body is None else body
```

## Fix safety
A missing upload still gives None. Objects have no expiry of their own: give the bucket a lifecycle rule for the prefix.
Keys that a client chooses become part of an object's name, and are quoted.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [boto3 put_object](https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/s3/client/put_object.html)
- [S3 lifecycle](https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US201",
    name="upload-in-memory",
    kinds=(Kind.UPLOAD,),
    summary="Uploaded bytes wait in the memory of one process.",
    breaks=(
        "The request that asks for an upload reaches a process that never received it, and uploads that wait "
        "are lost at a restart."
    ),
    prefix="pending",
)
