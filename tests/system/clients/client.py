"""Posts to a webhook with Requests: client.py URL.

Prints one line for each request: name, status, fleet run, and the SHA-256 of the body sent.
"""

import hashlib
import sys

import requests

URL = sys.argv[1]
EVERY_BYTE = bytes(range(256))
LARGE = EVERY_BYTE * 1200


def pieces(data):
    for at in range(0, len(data), 10000):
        yield data[at : at + 10000]


def post(session, name, sent=None, **body):
    request = session.prepare_request(requests.Request("POST", URL, **body))
    response = session.send(request)
    if sent is None:
        sent = request.body or b""
    if isinstance(sent, str):
        sent = sent.encode()
    run = (response.json()["data"] or {}).get("fleet_run_id", "-")
    print(name, response.status_code, run, hashlib.sha256(sent).hexdigest())


def main():
    with requests.Session() as session:
        session.trust_env = False
        post(session, "json", json={"text": "caf\u00e9"})
        post(session, "bytes", data=EVERY_BYTE)
        post(session, "large", data=LARGE)
        post(session, "nothing")
        post(session, "form", data={"a": "1 2"})
        post(session, "file", files={"report": ("report.bin", EVERY_BYTE)})
        post(session, "stream", LARGE, data=pieces(LARGE))


main()
