"""Serves a folder of camera pictures to browsers on this machine: serve_cameras.py FOLDER

Plays the part of the public cameras in the demo, so that it needs no network. Listens on a free local port, which it
prints, and lets pages of any origin read, as public cameras that can be embedded do.
"""

import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t", ".mp4": "video/mp4", ".jpg": "image/jpeg"}

    def __init__(self, *arguments):
        super().__init__(*arguments, directory=sys.argv[1])

    def end_headers(self):
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, *arguments):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
