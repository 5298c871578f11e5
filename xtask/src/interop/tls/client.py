"""client.py PORT CA PAGE: Python's ssl against our server, versions, sessions and names."""

import http.client
import socket
import ssl
import sys
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
port, ca, page = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def context(least=ssl.TLSVersion.TLSv1_2, most=ssl.TLSVersion.TLSv1_3):
    made = ssl.create_default_context(cafile=ca)
    made.minimum_version, made.maximum_version = least, most
    return made


for version, name in [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")]:
    connection = http.client.HTTPSConnection("localhost", port, context=context(version, version))
    for _ in range(3):
        connection.request("GET", "/page.html")
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read().decode() == page
    assert connection.sock.version() == name, connection.sock.version()
    connection.close()

old = context(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
old.set_ciphers("DEFAULT@SECLEVEL=0")
try:
    old.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    raise SystemExit("TLS 1.1 was taken")
except ssl.SSLError as error:
    assert error.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE", error.reason

for name, reason in [("other.example", "Hostname mismatch"), ("localhost", None)]:
    trusting = context() if reason else ssl.create_default_context()
    try:
        trusting.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=name)
        raise SystemExit(f"{name} was taken")
    except ssl.SSLCertVerificationError as error:
        assert (reason or "unable to get local issuer") in error.verify_message, error

twice = context()
request = b"GET /page.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
session = None
for resumed in [False, True]:
    below = socket.create_connection(("127.0.0.1", port))
    with twice.wrap_socket(below, server_hostname="localhost", session=session,
                           suppress_ragged_eofs=False) as tls:
        assert tls.session_reused == resumed, tls.session_reused
        tls.sendall(request)
        answer = b""
        # An end without close_notify would be an error here.
        while part := tls.recv(65536):
            answer += part
        assert answer.endswith(page.encode()), answer
        session = tls.session

# The same by hand, over memory instead of a socket.
below = socket.create_connection(("127.0.0.1", port))
into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context().wrap_bio(into, out, server_hostname="localhost")


def until_done(step):
    while True:
        try:
            return step()
        except ssl.SSLWantReadError:
            below.sendall(out.read())
            into.write(below.recv(65536))


until_done(tls.do_handshake)
tls.write(request)
below.sendall(out.read())
answer = b""
while not answer.endswith(page.encode()):
    answer += until_done(lambda: tls.read(65536))
below.close()
print("Python's ssl: versions, sessions, a wrong name, an unknown authority; each end with close_notify")
