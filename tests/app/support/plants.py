"""What must not be in a support bundle, and looking for it in whatever spelling."""

import base64
import gzip
import tarfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, quote_plus

#: What people of this house would not want to be known, by what it is.
PLANTS = {
    "did": "7c1f0a52-93be-4d0e-8a44-1b6de2f09c35",
    "serial": "E0A1B2C3D4E5F6G7H8J9",
    "nick": "Blechb\u00fcchse \U0001f916 im Flur",
    "resource": "qX7d",
    "uid": "fuid_zebulon77",
    "account": "zebulon.mustermann@beispiel.example",
    "nickname": "Der Hausherr Zebulon",
    "home": "Villa Kunterbunt",
    "home id": "5a6b7c8d9e0f5a6b7c8d9e0f",
    "client": "zebulons-klappfon-9",
    "password": "hunter2correcthorse",
    "hash": "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJaZWJ1bG9uIn0.c2lnbmF0dXJlLW9mLXplYnVsb24",
    "ssid": "Zebulons WLAN 5GHz",
    "mac": "4c:e9:e4:12:34:56",
    "address": "192.168.178.57",
    "public": "93.184.216.34",
    "six": "2001:db8:77::57",
    "box": "keller-nuc-zebulon",
    "domain": "intern.mustermann.example",
    "service": "hausautomat",
    "folder": "zebulon77home",
    "phone": "Zebulons Pixel 8",
}


def spellings(plant: str) -> Iterator[bytes]:
    """A plant in plain, in URLs, in JSON, in base64, in hex."""
    data = plant.encode()
    yield data
    yield quote(plant).encode()
    yield quote(plant, safe="").encode()
    yield quote_plus(plant).encode()
    yield plant.encode("ascii", "backslashreplace")
    if len(data) > 4:
        yield data.hex().encode()
        yield base64.b64encode(data).rstrip(b"=")
        yield base64.urlsafe_b64encode(data).rstrip(b"=")


def found_in(text: bytes, plants: Iterable[str]) -> list[str]:
    """Those that somebody would find, whatever letters are large."""
    small = text.decode("utf-8", "replace").lower().encode()
    return [
        plant
        for plant in plants
        if any(spelled.decode().lower().encode() in small for spelled in spellings(plant))
    ]


def unpacked(path: Path) -> dict[str, bytes]:
    """The files of a bundle, and all that is around them under the name of nothing."""
    whole = path.read_bytes()
    with tarfile.open(fileobj=BytesIO(whole)) as archive:
        files = {
            member.name.partition("/")[2]: file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }
    return {"": whole[:300] + gzip.decompress(whole), **files}
