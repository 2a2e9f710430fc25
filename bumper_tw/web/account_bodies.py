"""What clients read about accounts: bodies of answers, as the vendor writes them."""

from typing import Any

from bumper_tw.core.accounts import Session
from bumper_tw.core.oauth import Pair
from bumper_tw.dialect.envelopes import app_ok
from bumper_tw.values import Home, User

#: No session, or none that is good any more, towards the portal (http.md 2.3).
NO_SESSION = 1004


def result_ok(**payload: object) -> dict[str, Any]:
    """S2 without a numeric code (http-auth.md 2.4 to 2.6)."""
    return {"todo": "result", "result": "ok", **payload}


def result_failed(errno: str, text: str) -> dict[str, Any]:
    """E2: here the number is a text."""
    return {"errno": errno, "error": text, "result": "fail", "todo": "result"}


def oauth_failed(text: str) -> dict[str, Any]:
    """E4: here the number is the text."""
    return {"todo": "result", "ret": "fail", "errno": text}


def email(user: User) -> str:
    """What stands where an e-mail address is expected."""
    return user.account if "@" in user.account else f"{user.account}@home.local"


def login_data(session: Session, country: str, app: str) -> dict[str, Any]:
    """
    What a login gives (http-auth.md 2.1).  Clients differ in how they spell the user name.

    @param country: as the client spelt it.
    @param app: the C{appCode} of the path.
    """
    user = session.user
    return {
        "accessToken": session.text,
        "email": email(user),
        "isNew": None,
        "loginName": user.account if "global_" in app else user.uid,
        "mobile": None,
        "ucUid": user.uid,
        "uid": user.uid,
        "username": user.account,
        "userName": user.account,
        "country": country,
        # Any other value starts a verification by e-mail.
        "verifyDevice": "N",
    }


def account_info(user: User, base_url: str, nickname: str = "") -> dict[str, Any]:
    """The profile of a user (http-endpoints-app.md 2.1)."""
    return {
        "email": email(user),
        "hasMobile": "N",
        "hasPassword": "Y",
        "headIco": "",
        "loginName": user.account,
        "mobile": None,
        "mobileAreaNo": None,
        "nickname": nickname,
        "obfuscatedMobile": None,
        "thirdLoginInfoList": [{"accountType": "WeChat", "hasBind": "N"}],
        "uid": user.uid,
        "userName": user.account,
        "username": user.account,
        "userShowName": nickname or user.account,
        "intlMemberInfo": _membership(base_url),
    }


def _membership(base_url: str) -> dict[str, Any]:
    """Nobody collects points here, but the app wants to read how many."""
    return {
        "availableGeneralIntegral": 0,
        "availableLimitedIntegral": 0,
        "benefitList": [],
        "expiringLimitedPointShowDesc": None,
        "expiringLimitedPoints": None,
        "expiringPointDesc": None,
        "expiringPointExplain": None,
        "expiringPoints": None,
        "frozenIntegral": 0,
        "frozenIntegralTips": "",
        "goodsDetailIntegralDesc": "",
        "integral": 0,
        "integralDescWapUrl": f"{base_url}/",
        "intlMemberMallUrl": f"{base_url}/",
        "isCountryOpen": "N",
        "isLimitedIntegralOpen": "N",
        "isMember": "N",
        "levelName": "",
        "remainingDay": None,
        "vipLevelIconUrl": "",
    }


def portal_login(session: Session, resource: str, now: float) -> dict[str, Any]:
    """
    The token for portal and MQTT (http-auth.md 2.4).

    C{last} is how long it is good, in milliseconds: without it, or with a text in it, Home
    Assistant logs in again every ten minutes, or not at all (http.md 5, 4).
    """
    last = int((session.expires_at - now) * 1000)
    user = session.user
    return {
        "resource": resource,
        "result": "ok",
        "todo": "result",
        "token": session.text,
        "userId": user.uid,
        "last": last,
    }


def token_pair(pair: Pair) -> dict[str, Any]:
    """The tokens of the newer apps (http-auth.md 2.7)."""
    return app_ok(
        {
            "userId": pair.uid,
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "expire_at": pair.expires_at,
        }
    )


def control_ticket(text: str) -> dict[str, Any]:
    """A ticket for commands (http-auth.md 2.8): twice C{data} is right."""
    return {"code": 0, "msg": "ok", "data": {"data": {"token": text}}}


def home_entry(home: Home, owner: User | None) -> dict[str, Any]:
    """One home in a list (http-endpoints.md 6); times in milliseconds."""
    return {
        "createTime": int(home.created_at * 1000),
        "createUser": home.uid,
        "createUserName": owner.account if owner else "",
        "firstCreate": False,
        "homeId": home.id,
        "name": home.name,
        "type": "own",
    }


def member_entry(home: Home, owner: User) -> dict[str, Any]:
    """The owner as a member of a home: C{isAdmin} 2 is the owner (http-endpoints.md 6)."""
    return {
        "createTime": int(home.created_at * 1000),
        "id": owner.uid,
        "isAdmin": 2,
        "name": owner.account,
        "roleId": "owner",
        "roleName": "Owner",
        "status": 1,
        "uid": owner.uid,
    }
