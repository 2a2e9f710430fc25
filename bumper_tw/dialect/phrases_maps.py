"""Maps in JSON and in XML (mqtt.md 7.4 and 8.3); what is in them is the same."""

from typing import Any

from bumper_tw.dialect import lenient
from bumper_tw.dialect.markup import Element
from bumper_tw.dialect.phrases import (
    Phrase,
    Situation,
    Translator,
    argument,
    ask,
    asking,
    chosen,
    fields,
    query,
    whole,
    word,
)

#: Sets of a map: rooms, walls, and what has no older name.
SETS = {"ar": "sa", "vw": "vw", "mw": "mw"}


def map_state(ctl: Element) -> dict[str, Any]:
    """C{getMapState}."""
    return {"state": ctl.get("st")}


def major_map(ctl: Element) -> dict[str, Any]:
    """C{getMajorMap}."""
    return {
        "mid": ctl.get("i"),
        "pieceWidth": whole(ctl, "w"),
        "pieceHeight": whole(ctl, "h"),
        "cellWidth": whole(ctl, "c"),
        "cellHeight": whole(ctl, "r"),
        "pixel": whole(ctl, "p"),
        "type": "ol",
        "value": ctl.get("m"),
    }


def minor_map(data: object, _: Situation) -> Phrase:
    """C{getMinorMap}."""
    index = argument(data, "pieceIndex")

    def read(ctl: Element) -> dict[str, Any]:
        piece = {"pieceIndex": index, "pieceValue": ctl.get("p")}
        return {"mid": ctl.get("i"), "type": "ol", **piece}

    return asking(ask("PullMP", pid=index), read)


def map_set(data: object, _: Situation) -> Phrase:
    """C{getMapSet}."""
    mid, kind = lenient.text(fields(data).get("mid")), chosen(data, "type", SETS)

    def read(ctl: Element) -> dict[str, Any]:
        subsets = [{"mssid": each.get("mid"), "name": each.get("n")} for each in ctl.children]
        same = {"mid": mid, "msid": ctl.get("msid"), "type": fields(data)["type"]}
        return {**same, "count": len(subsets), "subsets": subsets}

    return asking(ask("GetMapSet", tp=kind), read)


def map_subset(data: object, _: Situation) -> Phrase:
    """C{getMapSubSet}."""
    given = {name: word(data, name) for name in ("msid", "mssid", "type")}
    mid, kind = lenient.text(fields(data).get("mid")), chosen(data, "type", SETS)

    def read(ctl: Element) -> dict[str, Any]:
        return {"mid": mid, **given, "value": ctl.get("m")}

    question = ask("PullM", tp=kind, msid=given["msid"], mid=given["mssid"], seq=0)
    return asking(question, read)


#: Everything about maps.
MAPS: dict[str, Translator] = {
    "getMapState": query(ask("GetMapSt"), map_state),
    "getMajorMap": query(ask("GetMapM"), major_map),
    "getMinorMap": minor_map,
    "getMapSet": map_set,
    "getMapSubSet": map_subset,
}
