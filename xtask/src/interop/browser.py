"""Chromium by chromedriver, which is spoken to with `AVOCET fetch`. The arguments of every script
that goes on from here begin with AVOCET and the URL of chromedriver.
"""

import json
import subprocess
import sys
import time

avocet, driver = sys.argv[1:3]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def ask(method, path, body=None):
    """One command of WebDriver, with our own client."""
    command = [avocet, "fetch", "-s", "-S", "-X", method]
    if method == "POST":
        command += ["--json", json.dumps(body or {})]
    ran = subprocess.run([*command, driver + path], capture_output=True, check=False)
    assert ran.returncode == 0, (path, ran.returncode, ran.stderr.decode())
    value = json.loads(ran.stdout)["value"]
    if isinstance(value, dict) and "error" in value:
        raise AssertionError(f"{method} {path}: {value['error']}: {value['message'][:300]}")
    return value


def until(what, holds, patience=30):
    """Waits until something holds."""
    end = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < end, f"{what} did not come true within {patience} s"
        time.sleep(0.05)
    return found


class Browser:
    def __init__(self, profile, prefs=None):
        args = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required",
            "--window-size=1100,800", f"--user-data-dir={profile}",
        ]
        options = {"binary": "/usr/bin/chromium", "args": args, "prefs": prefs or {}}
        wanted = {"alwaysMatch": {"goog:chromeOptions": options}}
        self.path = "/session/" + ask("POST", "/session", {"capabilities": wanted})["sessionId"]

    def post(self, path, body=None):
        return ask("POST", self.path + path, body)

    def open(self, url):
        self.post("/url", {"url": url})

    def find(self, css):
        return self.post("/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, element):
        self.post(f"/element/{element}/click")

    def link(self, text):
        return self.post("/element", {"using": "link text", "value": text})[ELEMENT]

    def type(self, element, text):
        self.post(f"/element/{element}/value", {"text": text})

    def run(self, script, *args):
        return self.post("/execute/sync", {"script": script, "args": list(args)})

    def run_async(self, script, *args):
        return self.post("/execute/async", {"script": script, "args": list(args)})

    def devtools(self, command, **params):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": params})

    def end(self):
        ask("DELETE", self.path)
