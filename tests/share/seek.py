"""A recording played from the share, as a player does it that knows nothing of the store: bytes of the file
at whatever offset it asks for, over SMB.

  seek.py serve USER PASSWORD PORT PATH      HTTP on loopback, prints its port
  seek.py read USER PASSWORD PORT PATH OFFSET LENGTH    the SHA-256 of a range, or the status that came
"""
import hashlib
import http.server
import sys
import threading

from smb import READ, Refused, Session
from impacket.smb3structs import FILE_OPEN


def open_file(user, password, port, path):
    session = Session(user, password, int(port), "cases-ro")
    handle = session.create(path, access=READ, disposition=FILE_OPEN)
    return session, handle


class Player(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        session, handle, size = self.server.file
        start, end = 0, size - 1
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            first, last = asked[6:].split("-")
            start = int(first)
            end = min(int(last), size - 1) if last else size - 1
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, end, size))
        self.send_header("Content-Length", str(end - start + 1))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while start <= end:
                with self.server.one_at_a_time:  # the player opens where it seeks to before it leaves where it was
                    data = session.read(handle, start, min(65536, end - start + 1))
                if not data:
                    return
                self.wfile.write(data)
                start += len(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the player has seen enough, and seeks
        except Refused as refused:
            print("refused", start, refused, flush=True)


def main():
    what, user, password, port, path = sys.argv[1:6]
    session, handle = open_file(user, password, port, path)
    if what == "serve":
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Player)
        server.one_at_a_time = threading.Lock()
        server.file = session, handle, session.size(handle)
        print(server.server_address[1], flush=True)
        server.serve_forever()
    try:
        data = session.read(handle, int(sys.argv[6]), int(sys.argv[7]))
        print(hashlib.sha256(data).hexdigest(), len(data))
    except Refused as refused:
        print(refused)


main()
