"""
JSON, and the bodies in which the vendor wraps success and failure (http.md 2).

The ids in the docstrings (S1, E5 ...) are those of the tables there.
"""

import json
from math import isfinite
from typing import Any, NoReturn

SUCCESS = "0000"
#: The general failure of the private API (http.md 2.3).
FAILED = "0001"
#: The token is not valid any more (http.md 2.3).
TOKEN_INVALID = "0004"  # noqa: S105 - a code, not a secret


def _refuse_constant(text: str) -> NoReturn:
    """C{NaN} and C{Infinity} are Python's idea of JSON; nobody else can read them back."""
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    """A number beyond what a double holds would become C{Infinity}, see L{_refuse_constant}."""
    number = float(text)
    return number if isfinite(number) else _refuse_constant(text)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def to_json(value: object) -> bytes:
    """A value as compact JSON in UTF-8; half a surrogate pair becomes a question mark."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


def parse_json(raw: bytes) -> Any:
    """
    What JSON text in UTF-8 says.

    @raise ValueError: it is not JSON, or nested deeper than anything sane, or has a number
        that is too large for a double, or text that no UTF-8 can say: half a surrogate pair
        (RFC 8259, 8.2).
    """
    text = raw.decode("utf-8")
    try:
        value = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:
            _ENCODER.encode(value).encode("utf-8")
    except RecursionError as deep:
        raise ValueError("nested too deeply") from deep
    return value


def private_ok(data: object, now_ms: int) -> dict[str, Any]:
    """S1: the private API is content."""
    return {"code": SUCCESS, "data": data, "msg": "success", "success": True, "time": now_ms}


def private_failed(code: str, text: str, now_ms: int) -> dict[str, Any]:
    """E9: the private API is not; some clients need C{success}, some C{data}."""
    return {"code": code, "msg": text, "time": now_ms, "data": None, "success": False}


def todo_ok(payload: object, key: str = "data", status: str = "ret") -> dict[str, Any]:
    """
    S2: what was to be done is done.

    @param key: where the payload is expected.
    @param status: C{"ret"} or C{"result"}, as the endpoint spells it.
    """
    return {"todo": "result", status: "ok", key: payload, "code": 0}


def app_ok(data: object) -> dict[str, Any]:
    """S3, with C{ret}."""
    return {"code": 0, "message": "success", "ret": "ok", "data": data}


def bare(data: object) -> dict[str, Any]:
    """S4."""
    return {"code": 0, "data": data}


def find(address: str, port: int) -> bytes:
    """
    S6: where a service is.  Robots were seen to reject a body with a blank in it
    (http-discovery.md 1), so this one is bytes already.

    @param address: an IP address; robots do not resolve names here.
    """
    return to_json({"ip": address, "port": port, "result": "ok"})


def app_failed() -> dict[str, Any]:
    """E5: C{app.do} did not understand."""
    return {"todo": "result", "ret": "fail", "err": 2004, "errno": 2004, "code": 2004}


def user_failed(text: str, todo: str, errno: int = 1) -> dict[str, Any]:
    """E6: C{user.do} did not understand, or could not."""
    return {"todo": "result", "result": "fail", "errno": errno, "error": text, "debug": todo}


def iot_failed(text: str, errno: int = 1) -> dict[str, Any]:
    """E7: not a request that could become a command."""
    return {"ret": "fail", "errno": errno, "error": text}


def command_failed(request: str, errno: int, text: str) -> dict[str, Any]:
    """
    E8: a command without an answer.

    @param errno: a number, 4200 for a robot without a connection; Home Assistant reads it.
    @param text: under two names; one client shows C{debug}, another C{error}.
    """
    return {"id": request, "ret": "fail", "errno": errno, "error": text, "debug": text}


def portal_failed(text: str, code: int = 1) -> dict[str, Any]:
    """S3's opposite; no client reads more of it than C{code} and C{ret}."""
    return {"code": code, "message": text, "msg": text, "ret": "fail"}


def area_failed(text: str) -> dict[str, Any]:
    """E10: no such area."""
    return {"code": 4000, "msg": text}
