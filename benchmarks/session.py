"""What deebot-client asks before it asks robots (http-auth.md 4.1, self-hosted: 4.2)."""

import json
from collections.abc import Generator
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from attrs import field, frozen

from benchmarks.load import Page, post, request

#: Answers are read with this: requests out, the value of the last answer back.
Step = Generator[bytes, Page, Any]

PASSWORD = "5f4dcc3b5aa765d61d8327deb882cf99"
SIGNATURE = {
    "requestId": "9f2c1be0a2f84b6b8c9f9d6d2d3c4b5a",
    "authTimespan": "1795393418340",
    "authTimeZone": "GMT-8",
    "authSign": "e7cf3a00415e428e8ce5d7880d219b1b",
}


class Refused(Exception):
    """An answer that is not what a client needs."""


@frozen
class Account:
    """Somebody with a client: an account, and the device id of the client."""

    name: str
    client: str

    @property
    def uid(self) -> str:
        """The user id that has to come back (http-auth.md 1)."""
        return sha256(self.name.encode()).hexdigest()[:20]


@frozen
class Login:
    """The end of a login: what later requests carry."""

    uid: str
    token: str = field(repr=False)
    resource: str

    @property
    def auth(self) -> dict[str, str]:
        """The object C{auth} of portal requests."""
        return {
            "with": "users",
            "userid": self.uid,
            "realm": "ecouser.net",
            "token": self.token,
            "resource": self.resource,
        }


def value(page: Page, **expected: object) -> Any:
    """
    The JSON of an answer that has to say certain things.

    @raise Refused: it does not.
    """
    said = json.loads(page.body) if page.status == 200 else {}
    if any(said.get(name) != text for name, text in expected.items()):
        raise Refused(f"{page.status}: {page.body[:200]!r}")
    return said


def log_in(account: Account) -> Step:
    """
    The three requests of a login.

    @return: a L{Login}.
    @raise Refused: one of them was.
    """
    entered = value((yield enter(account)), code="0000")["data"]
    ticket = value((yield get_ticket(account, entered["accessToken"])), code="0000")["data"]
    said = value((yield exchange(account, ticket["authCode"])), result="ok")
    if {said["userId"], entered["uid"]} != {account.uid}:
        raise Refused(f"{account.uid} became {said['userId']}")
    return Login(said["userId"], said["token"], account.client)


def enter(account: Account) -> bytes:
    """The first request: account and password."""
    parts = f"/v1/private/de/EN/{account.client}/global_e/3.14.0/google_play/1/user/login"
    query = {"account": account.name, "password": PASSWORD, **SIGNATURE}
    return request("GET", f"{parts}?{urlencode({**query, 'authAppkey': '1520391301804'})}")


def get_ticket(account: Account, access: str) -> bytes:
    """The second: a ticket to the portal."""
    query = {"uid": account.uid, "accessToken": access, "bizType": "ECOVACS_IOT"}
    more = {"deviceId": account.client, **SIGNATURE, "authAppkey": "1520391491841"}
    return request("GET", f"/v1/global/auth/getAuthCode?{urlencode({**query, **more})}")


def exchange(account: Account, ticket: str) -> bytes:
    """The third: the ticket for a token."""
    return post(
        "/api/users/user.do",
        {
            "edition": "ECOGLOBLE",
            "userId": account.uid,
            "token": ticket,
            "realm": "ecouser.net",
            "resource": account.client,
            "org": "ECOWW",
            "last": "",
            "country": "DE",
            "todo": "loginByItToken",
        },
    )


def user_list(login: Login) -> bytes:
    """The list of robots, as C{user.do} has it."""
    wish = {"userid": login.uid, "todo": "GetDeviceList", "auth": login.auth}
    return post("/api/users/user.do", wish)


def app_list(login: Login) -> bytes:
    """The same, as C{app.do} has it."""
    wish = {"userid": login.uid, "todo": "GetGlobalDeviceList", "auth": login.auth}
    return post("/api/appsvr/app.do", wish)


def dids(page: Page) -> list[str]:
    """
    The robots in a list.

    @raise Refused: it is none.
    """
    devices = value(page).get("devices")
    if not isinstance(devices, list):
        raise Refused(f"no list: {page.body[:200]!r}")
    return [device["did"] for device in devices]
