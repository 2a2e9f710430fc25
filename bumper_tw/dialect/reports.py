"""What robots report, as readings: the entry for every payload kind (mqtt.md 7, 8, 11)."""

from collections.abc import Callable, Iterator

from bumper_tw.dialect import lenient, markup, reports_json, reports_xml
from bumper_tw.readings import Reading
from bumper_tw.values import PayloadKind


def read_json(name: str, body: bytes) -> Iterator[Reading]:
    """
    The readings in a JSON payload.

    @raise ValueError: it is not a JSON object.
    """
    payload = lenient.load(body)
    if not isinstance(payload, dict):
        raise ValueError("JSON payload is not an object")
    return reports_json.readings(name, payload)


def read_xml(name: str, body: bytes) -> Iterator[Reading]:
    """
    The readings in an XML payload.

    @raise ValueError: it is not XML, or not a C{ctl} element.
    """
    ctl = markup.parse(body)
    if ctl.name != "ctl":
        raise ValueError("XML payload is not a ctl element")
    return reports_xml.readings(name, ctl)


#: Binary payloads exist in the grammar of topics; no robot is known to report in one.
READERS: dict[PayloadKind, Callable[[str, bytes], Iterator[Reading]]] = {
    PayloadKind.JSON: read_json,
    PayloadKind.XML: read_xml,
}


def decode(
    name: str,
    body: bytes,
    kind: PayloadKind,
    now: float,  # noqa: ARG001 - for what only says how long ago; nothing known does
) -> list[Reading]:
    """
    What a robot says about itself in an event, or in its reply to a command.

    @param name: the event or the command, as in the topic (mqtt.md 4.1).
    @param now: when the payload came, in seconds since the epoch.
    @return: nothing for a failure or for a mere acknowledgement; a part that makes no
        sense is left out.
    @raise ValueError: the payload cannot be read at all; the text says why.
    """
    reader = READERS.get(kind)
    if reader is None:
        raise ValueError(f"no reader for payload kind {kind.value}")
    return list(reader(name, body))
