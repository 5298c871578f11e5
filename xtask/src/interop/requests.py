"""requests.py URL FOLDER: Python's requests against the server of FOLDER."""

import pathlib
import sys

import requests

base, folder = sys.argv[1], pathlib.Path(sys.argv[2])
content, text = (folder / "file.bin").read_bytes(), (folder / "text.txt").read_text()

with requests.Session() as session:
    session.trust_env = False

    whole = session.get(base + "file.bin")
    assert whole.status_code == 200 and whole.content == content

    page = session.get(base + "text.txt")
    assert page.text == text, "the text differs"
    assert page.headers["Content-Encoding"] in ("gzip", "deflate", "br", "zstd"), page.headers
    assert page.encoding == "utf-8", page.encoding

    def conditional(name, value):
        return session.get(base + "text.txt", headers={name: value}).status_code

    assert conditional("If-None-Match", page.headers["ETag"]) == 304
    assert conditional("If-None-Match", '"another"') == 200
    assert conditional("If-Modified-Since", page.headers["Last-Modified"]) == 304

    half = len(content) // 2
    fields = {"Range": f"bytes={half}-", "If-Range": whole.headers["ETag"]}
    rest = session.get(base + "file.bin", headers=fields)
    assert rest.status_code == 206 and content[:half] + rest.content == content
    assert rest.headers["Content-Range"] == f"bytes {half}-{len(content) - 1}/{len(content)}"
    fields["If-Range"] = '"another"'
    assert session.get(base + "file.bin", headers=fields).content == content
    assert session.get(base + "file.bin", headers={"Range": "bytes=9-5"}).status_code == 200

    with session.get(base + "file.bin", stream=True) as streamed:
        assert b"".join(streamed.iter_content(10_000)) == content

    head = session.head(base + "file.bin")
    assert int(head.headers["Content-Length"]) == len(content) and not head.content

    listing = session.get(base, headers={"Accept": "application/json"}).json()
    names = [entry["name"].rstrip("/") for entry in listing.get("entries", listing)]
    assert sorted(names) == ["deep", "file.bin", "text.txt"], names

    assert session.get(base + "missing").status_code == 404
    assert session.post(base + "text.txt", data="x").status_code == 405

print("requests: whole, streamed, resumed, revalidated, compressed, listed")
