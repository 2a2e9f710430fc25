"""The envelopes of answers (http.md 2.1) by the names that data files use."""

from collections.abc import Callable, Mapping
from typing import Any

from bumper_tw.dialect.envelopes import app_ok, bare, private_ok, todo_ok

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


class Nothing:
    """What an answer without a payload carries: not even null."""


NOTHING = Nothing()

SUCCESS: Mapping[str, Any] = {"code": 0, "message": "success"}
#: S7.
BURIED: Mapping[str, Any] = {"header": {"result_code": "000000"}, "body": {}}

Envelope = Callable[[Any], Any]


def with_data(start: Mapping[str, Any], data: object, key: str = "data") -> dict[str, Any]:
    """C{start} and, when there is any, the payload."""
    return dict(start) if data is NOTHING else {**start, key: data}


def private(data: object) -> dict[str, Any]:
    """S1; its payload is null at least."""
    return {**private_ok(None if data is NOTHING else data, 0), "time": "{now_ms}"}


def without_nothing(whole: Envelope) -> Envelope:
    """An envelope of the dialect that leaves its payload out when there is none."""

    def wrap(data: object) -> dict[str, Any]:
        wrapped: dict[str, Any] = whole(data)
        return {name: value for name, value in wrapped.items() if value is not NOTHING}

    return wrap


#: The envelopes of JSON answers.
ENVELOPES: Mapping[str, Envelope] = {
    "private": private,
    "todo": without_nothing(todo_ok),
    "app": without_nothing(app_ok),
    "bare": without_nothing(bare),
    "plain": lambda data: with_data(SUCCESS, data),
    "flag": lambda data: with_data({**SUCCESS, "success": True}, data),
    "msg": lambda data: with_data({"code": 0, "msg": "success", "ret": "ok"}, data),
    "voices": lambda data: with_data({**SUCCESS, "ret": "ok"}, data, "voices"),
    "bury": lambda data: BURIED if data is NOTHING else data,
    "raw": lambda data: None if data is NOTHING else data,
}

#: Those of other answers, and their content type; that of a file goes by its name.
TEXTS: Mapping[str, str] = {"html": HTML, "text": PLAIN, "empty": PLAIN, "file": ""}

#: The content type of a file, by the end of its name.
FILES: Mapping[str, str] = {
    "html": HTML,
    "txt": PLAIN,
    "json": "application/json; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "ico": "image/vnd.microsoft.icon",
}


def page(title: str, *texts: str) -> str:
    """A small page: a heading and some paragraphs, all of them HTML already."""
    paragraphs = "".join(f"<p>{text}</p>" for text in texts)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{paragraphs}</body></html>"
    )
