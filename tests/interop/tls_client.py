"""
One client over TLS, as its one argument says in JSON; prints what came of it, in JSON.

host, port: where to; name: the server name; ca: a file of whom it trusts, nobody if it is missing;
version: the only version of TLS; ciphers: in OpenSSL's words; path: what to GET.
"""

import json
import socket
import ssl
import sys
from typing import Any


def context(spec: dict[str, Any]) -> ssl.SSLContext:
    """What the client wants of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ca" in spec:
        made.load_verify_locations(spec["ca"])
    if "ciphers" in spec:
        made.set_ciphers(spec["ciphers"])
    if "version" in spec:
        made.minimum_version = made.maximum_version = ssl.TLSVersion[spec["version"]]
    return made


def talk(spec: dict[str, Any]) -> str:
    """Shake hands, and perhaps ask something; the first line of the answer."""
    plain = socket.create_connection((spec["host"], spec["port"]), 20)
    with context(spec).wrap_socket(plain, server_hostname=spec["name"]) as secured:
        if "path" not in spec:
            return ""
        head = f"GET {spec['path']} HTTP/1.1\r\nHost: {spec['host']}\r\nConnection: close\r\n\r\n"
        secured.sendall(head.encode())
        return secured.recv(100).decode("latin-1").partition("\r")[0]


def main() -> None:
    """Run it."""
    try:
        said, error = talk(json.loads(sys.argv[1])), ""
    except ssl.SSLError as why:
        said, error = "", str(why)
    sys.stdout.write(json.dumps({"said": said, "error": error}))


if __name__ == "__main__":
    main()
