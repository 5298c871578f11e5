"""dictionaries.py AVOCET DRIVER SITE FOLDER: Chromium loads two versions of a script.

It goes on from browser.py. SITE is the URL of the server of FOLDER, without a slash at its end. Chromium
is sent dcz first of all, so it comes to dcb by way of a proxy that takes the name of dcz away.
"""

import hashlib
import http.client
import http.server
import pathlib
import tempfile
import threading
import urllib.parse

site, folder = sys.argv[3:]
FIRST, SECOND = "app.11aa22bb.js", "app.33cc44dd.js"
expected = hashlib.sha256((pathlib.Path(folder) / SECOND).read_bytes()).hexdigest()

LOAD = """
const [url, done] = arguments;
const script = document.createElement("script");
script.onload = () => done(window.version);
script.onerror = () => done("failed");
script.src = url;
document.body.append(script);
"""
FETCH = """
const [url, done] = arguments;
(async () => {
  const response = await fetch(url);
  const digest = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
  const hex = [...new Uint8Array(digest)].map(byte => byte.toString(16).padStart(2, "0")).join("");
  const entry = performance.getEntriesByName(response.url).pop();
  done([response.status, hex, entry.encodedBodySize, response.headers.get("content-encoding")]);
})().catch(error => done([0, String(error), 0, ""]));
"""


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the site, without dcz."""

    protocol_version = "HTTP/1.1"
    asked = []

    def do_GET(self):
        fields = dict(self.headers)
        codings = [coding.strip() for coding in fields.get("Accept-Encoding", "").split(",")]
        self.asked.append((self.path, codings, "Available-Dictionary" in self.headers))
        fields["Accept-Encoding"] = ", ".join(coding for coding in codings if coding != "dcz")
        fields["Connection"] = "close"
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(site).netloc, timeout=30)
        connection.request("GET", self.path, headers=fields)
        response = connection.getresponse()
        content = response.read()
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def versions(browser, origin, coding):
    browser.open(origin + "/")
    assert browser.run("return window.isSecureContext") is True
    assert browser.run_async(LOAD, f"/{FIRST}") == "one"
    attempts = iter(range(1000))

    def is_known():
        """Whether both sides have the first version as a dictionary: asked for anew, by a query, which is
        no part of the pattern, it comes as the difference from itself."""
        found = browser.run_async(FETCH, f"/{FIRST}?{next(attempts)}")
        assert found[0] == 200, found
        return found[3] == coding

    until(f"{coding} of the first version", is_known)
    found = browser.run_async(FETCH, f"/{SECOND}?")
    size = (pathlib.Path(folder) / SECOND).stat().st_size
    status, digest, length, named = found
    assert (status, digest, named) == (200, expected, coding) and 0 < length < size / 50, found
    assert browser.run_async(LOAD, f"/{SECOND}") == "second"
    print(f"{coding}: {length} bytes instead of {size}, the content is right")


proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
for origin, coding in [(site, "dcz"), (f"http://localhost:{proxy.server_port}", "dcb")]:
    with tempfile.TemporaryDirectory(dir=pathlib.Path(folder).parent) as profile:
        browser = Browser(profile)
        try:
            versions(browser, origin, coding)
        finally:
            browser.end()
said = [codings for _, codings, has_one in Proxy.asked if has_one]
assert said and all({"dcb", "dcz"} <= set(codings) for codings in said), Proxy.asked
