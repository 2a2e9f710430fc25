"""What the owner is told of the connections that requests come on."""

import re

from bumper_tw.pki.zones import in_zone
from bumper_tw.web.call import Call

#: Where people log in, by the paths.
LOGIN = re.compile("login", re.IGNORECASE)

#: What the record of a connection has for a path that nobody knows, and that may be a secret.
UNKNOWN = "a path that is not known here"


def note(call: Call, path: str) -> None:
    """
    Put a request into the record of its connection.

    @param path: without what is somebody's.
    """
    contact = call.contact
    if not contact.requests and in_zone(call.host.lower()):
        contact.calls_us(call.host.lower())
    contact.requested(path)
    if contact.requests == 1:
        contact.claims_to_be(call.header("user-agent"))
    if "appversion" in call.segments:
        contact.claims_to_be("app {app} {appversion}".format_map(call.segments))


def note_refusal(call: Call, path: str, why: str) -> None:
    """
    Put into the record that somebody could not log in; one whose token has expired, or who has
    none, will do so.
    """
    if LOGIN.search(path):
        call.contact.refused(why)
