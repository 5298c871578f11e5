"""Pages for clients under test: takes forms apart, sets and shows cookies, redirects."""

import email.parser
import email.policy
import hashlib
import http.server
import json
import sys
import urllib.parse


def parts(content_type, content):
    """Names, file names, types and digests of the parts of a multipart/form-data."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + content)
    assert message.is_multipart() and not message.defects, message.defects
    found = []
    for part in message.iter_parts():
        disposition = part["Content-Disposition"]
        assert disposition.content_disposition == "form-data", disposition
        data = part.get_payload(decode=True)
        found.append({
            "name": disposition.params["name"],
            "filename": disposition.params.get("filename"),
            "type": part.get_content_type(),
            "sha256": hashlib.sha256(data).hexdigest(),
            "value": data.decode() if len(data) < 100 else None,
        })
    return found


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, text, status=200, fields=()):
        body = text.encode()
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/set":
            fields = [
                ("Set-Cookie", "session=one; Path=/"),
                ("Set-Cookie", "lasting=two%20words; Path=/; Max-Age=86400"),
                ("Set-Cookie", "hidden=three; Path=/; Max-Age=86400; HttpOnly"),
                ("Set-Cookie", "deep=four; Path=/deep; Max-Age=86400"),
            ]
            if url.query == "redirect":
                self.answer("", 302, [*fields, ("Location", "/show")])
            else:
                self.answer("set\n", fields=fields)
        elif url.path in ("/show", "/deep/show"):
            cookies = self.headers.get("Cookie", "")
            self.answer(" ".join(sorted(cookies.split("; "))) + "\n")
        elif url.path == "/query":
            self.answer(json.dumps(urllib.parse.parse_qsl(url.query)))
        else:
            self.answer("nothing here\n", 404)

    def content(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers["Content-Length"]))
        content = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            assert self.rfile.readline() == b"\r\n"
        while self.rfile.readline() != b"\r\n":
            pass
        return content

    def do_POST(self):
        content = self.content()
        kind = self.headers["Content-Type"]
        if kind.startswith("multipart/form-data"):
            self.answer(json.dumps(parts(kind, content)))
        elif kind == "application/x-www-form-urlencoded":
            self.answer(json.dumps(urllib.parse.parse_qsl(content.decode(), strict_parsing=True)))
        elif kind == "application/json":
            self.answer(json.dumps(json.loads(content)))
        else:
            self.answer(f"what is {kind}?\n", 415)

    def do_PUT(self):
        self.answer(hashlib.sha256(self.content()).hexdigest())


if __name__ == "__main__":
    port = int(sys.argv[1])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages).serve_forever()
