"""Whether a robot that has answered has done what it was told (mqtt.md 7.1, 7.5 and 8.1)."""

from bumper_tw.dialect import lenient, translation

#: What codes mean that come without words (mqtt.md 7.1).
MEANINGS = {
    "3": "something is wrong with it",
    "5": "busy with another job",
    "20003": "it does not know that, or not like this",
    "30007": "it is in its dock already",
}


def in_json(answer: object) -> str:
    """
    Why a robot refuses, in its own words and with its own number.

    @param answer: as parsed; with C{code} in its C{body}, or, of a platform command, C{ret}.
    @return: empty when it has done it, or does not say.
    """
    said = lenient.fields(answer)
    body = lenient.fields(said.get("body"))
    code = lenient.text(body.get("code"))
    if code and lenient.number(code) != 0:
        words = lenient.text(body.get("msg"))
        return phrased(words if has_words(words) else MEANINGS.get(code, words), "code", code)
    if lenient.text(said.get("ret")) in {"", "ok"}:
        return ""
    return phrased(lenient.text(said.get("error")), "errno", lenient.text(said.get("errno")))


def in_xml(answer: bytes) -> str:
    """
    The same of a robot that answers in XML.

    @return: also empty when that cannot be read.
    """
    try:
        said = translation.element(answer)
    except ValueError:
        return ""
    return (
        ""
        if translation.is_ok(said)
        else phrased(translation.reason(said), "errno", said.get("errno"))
    )


def has_words(words: str) -> bool:
    """Whether a robot says more than that it does not."""
    return words not in {"", translation.FAIL}


def phrased(words: str, name: str, number: str) -> str:
    """A reason and its number, as far as there are any."""
    told = f" ({name} {lenient.text(number)})" if number else ""
    return f"{lenient.text(words) or translation.FAIL}{told}"
