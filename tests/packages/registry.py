"""An npm registry on a free port of 127.0.0.1 for the tests. Prints its port, and ends when its
standard input does. It has:

    anchor 1.0.0 and 1.1.0   CommonJS, with the program `anchor`
    buoy 1.0.0               an ES module that depends on anchor
    capstan 1.0.0            its postinstall script creates the file `ran` in its folder

GET /-/spoil changes the bytes of all tarballs from then on, but not their hashes.
"""
import base64
import gzip
import hashlib
import http.server
import io
import json
import sys
import tarfile
import threading

ANCHOR = {
    "index.js": "exports.version = require('./package.json').version;\n",
    "anchor.js": "#!/usr/bin/env node\nconsole.log('anchor', require('./index.js').version);\n",
}
PACKAGES = [
    ({"name": "anchor", "version": "1.0.0", "bin": {"anchor": "anchor.js"}}, ANCHOR),
    ({"name": "anchor", "version": "1.1.0", "bin": {"anchor": "anchor.js"}}, ANCHOR),
    ({"name": "buoy", "version": "1.0.0", "type": "module", "exports": "./index.js",
      "dependencies": {"anchor": "^1.0.0"}},
     {"index.js": "import anchor from 'anchor';\nexport const rings = 'on anchor ' + "
                  "anchor.version;\n"}),
    ({"name": "capstan", "version": "1.0.0", "scripts": {"postinstall": "node turn.js"}},
     {"index.js": "", "turn.js": "require('fs').writeFileSync('ran', '');\n"}),
]
tarballs = {}  # path → bytes
packuments = {}  # name → the answer to GET /name
spoiled = False


def add(manifest, files, origin):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, text in {**files, "package.json": json.dumps(manifest)}.items():
            entry = tarfile.TarInfo("package/" + path)
            entry.size, entry.mode = len(text), 0o755 if path == "anchor.js" else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    data = gzip.compress(raw.getvalue(), mtime=0)
    name, version = manifest["name"], manifest["version"]
    path = f"/{name}/-/{name}-{version}.tgz"
    digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
    tarballs[path] = data
    packument = packuments.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}})
    packument["dist-tags"]["latest"] = version
    packument["versions"][version] = {
        **manifest, "hasInstallScript": "scripts" in manifest,
        "dist": {"tarball": origin + path, "integrity": "sha512-" + digest}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        global spoiled
        spoiled |= self.path == "/-/spoil"
        data, status = b"{}", 200
        if self.path in tarballs:
            data = tarballs[self.path] + (b"x" if spoiled else b"")
        elif self.path[1:] in packuments:
            data = json.dumps(packuments[self.path[1:]]).encode()
        elif not spoiled or self.path != "/-/spoil":
            status = 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
for one in PACKAGES:
    add(*one, f"http://127.0.0.1:{server.server_port}")
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
