"""What is inside of the few stanzas that a stream reads itself."""

from bumper_tw.dialect import markup
from bumper_tw.wire.xmpp_stanzas import Stanza

#: The longest resource somebody may choose; the apps' have a dozen characters.
MAX_RESOURCE = 255


def text_of(stanza: Stanza) -> str:
    """The text of an element without children; empty if it cannot be read."""
    try:
        return markup.parse(stanza.raw).text
    except ValueError:
        return ""


def bind_request(stanza: Stanza) -> str:
    """
    The resource that somebody asks for; empty when the choice is ours.

    @raise ValueError: nobody can have it.
    """
    bind = markup.parse(stanza.raw).child("bind")
    wanted = bind.child("resource") if bind else None
    resource = wanted.text if wanted else ""
    if len(resource) > MAX_RESOURCE or not (resource.isprintable() or not resource):
        raise ValueError("the resource is unfit")
    return resource
