"""hostile.py client WHAT PORT, hostile.py server WHAT PORT [FILE | PORT]: peers that misbehave."""

import socket
import ssl
import sys
import threading

side, what, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
REQUEST = b"GET /page.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
PAGE = b"<p>Said in private.</p>\n"


def head(length):
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % length


class Memory:
    """TLS over memory, so that what goes over the wire can be chosen."""

    def __init__(self, below, context, **more):
        self.below, self.into, self.out = below, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out, **more)

    def run(self, step):
        while True:
            try:
                result = step()
                self.below.sendall(self.out.read())
                return result
            except ssl.SSLWantReadError:
                self.below.sendall(self.out.read())
                part = self.below.recv(65536)
                if not part:
                    raise SystemExit("closed")
                self.into.write(part)

    def sealed(self, content):
        self.tls.write(content)
        return self.out.read()


def until_closed(below):
    below.settimeout(30)
    seen = b""
    try:
        while part := below.recv(65536):
            seen += part
    except ConnectionResetError:
        pass
    return seen


def client():
    below = socket.create_connection(("127.0.0.1", port))
    if what == "garbage":
        below.sendall(bytes(range(128, 256)) * 8)
        until_closed(below)
    elif what == "http":
        below.sendall(REQUEST)
        seen = until_closed(below)
        assert seen.startswith(b"HTTP/1.1 400 ") and b"https" in seen, seen
    elif what == "leaves":
        below.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        below.shutdown(socket.SHUT_WR)
        until_closed(below)
    else:
        context = ssl.create_default_context(cafile="ca.crt")
        memory = Memory(below, context, server_hostname="localhost")
        memory.run(memory.tls.do_handshake)
        if what == "cuts":
            below.sendall(memory.sealed(REQUEST[:20]))
            below.shutdown(socket.SHUT_WR)
        else:
            wire = bytearray(memory.sealed(REQUEST))
            wire[-1] ^= 1
            below.sendall(wire)
        until_closed(below)
    below.close()


def bad_server(below):
    if what == "http":
        below.recv(65536)
        below.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        until_closed(below)
    elif what == "garbage":
        below.recv(65536)
        below.sendall(bytes(range(128, 256)) * 8)
        until_closed(below)
    elif what == "leaves":
        below.recv(65536)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        memory = Memory(below, context, server_side=True)
        memory.run(memory.tls.do_handshake)
        memory.run(lambda: memory.tls.read(65536))
        if what == "cuts":
            # Half of what was said to come.
            below.sendall(memory.sealed(head(2 * len(PAGE)) + PAGE))
        elif what == "shortens":
            # The end of the connection is to be the end of the content.
            below.sendall(memory.sealed(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PAGE))
        else:
            wire = bytearray(memory.sealed(head(len(PAGE)) + PAGE))
            wire[-1] ^= 1
            below.sendall(wire)
        below.shutdown(socket.SHUT_WR)
        until_closed(below)
    below.close()


def pieces(source, sink):
    """Each byte in a packet of its own."""
    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while part := source.recv(65536):
            for at in range(len(part)):
                sink.sendall(part[at:at + 1])
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def relay(below):
    beyond = socket.create_connection(("127.0.0.1", int(sys.argv[4])))
    there = threading.Thread(target=pieces, args=(below, beyond))
    there.start()
    pieces(beyond, below)
    there.join()


def serve():
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        below, _ = listener.accept()
        handler = relay if what == "pieces" else bad_server
        threading.Thread(target=handler, args=(below,), daemon=True).start()


client() if side == "client" else serve()
