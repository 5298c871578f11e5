"""cookies.py set|show mozilla|lwp FILE URL: a visit with Python's cookie jar."""

import http.cookiejar
import sys
import urllib.request

step, format, path, url = sys.argv[1:]
jar = {"mozilla": http.cookiejar.MozillaCookieJar, "lwp": http.cookiejar.LWPCookieJar}[format](path)
if step == "show":
    jar.load(ignore_discard=True)
handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar)]
with urllib.request.build_opener(*handlers).open(url) as answer:
    print(answer.read().decode(), end="")
if step == "set":
    jar.save(ignore_discard=True)
