"""The support bundle for a browser: what C{bumper support-bundle} writes."""

from collections.abc import Mapping
from datetime import datetime
from socket import gethostname
from typing import Any

from bumper_tw.app.addresses import own_addresses
from bumper_tw.app.settings import Settings
from bumper_tw.app.support.bundle import House, made, packed
from bumper_tw.app.support.gathering import Sources, gather
from bumper_tw.app.support.identifiers import whoever


def bundle(settings: Settings) -> tuple[str, bytes]:
    """
    Its name, and what is in it: a few megabytes at most.  It asks the running server by its
    control socket, so this is for a thread.
    """
    now = datetime.now()
    name = f"bumper-support-{now:%Y-%m-%d}"
    files = made(gather(Sources(settings, not_asked)), this_house(settings))
    return f"{name}.tar.gz", packed(files, name, now.timestamp())


def not_asked() -> Mapping[str, Any]:
    """What stands for the doctor without its server: checks would need a reactor of their own."""
    return {"asked": "the server did not answer itself"}


def this_house(settings: Settings) -> House:
    """What this box knows of itself, so that it can be replaced."""
    addresses = tuple(each.address for each in own_addresses())
    return House(settings, (gethostname(),), tuple(whoever()), addresses)
