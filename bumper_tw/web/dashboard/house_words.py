"""What somebody did, in words: the access log as people read it."""

import re
from collections.abc import Callable, Mapping

from bumper_tw.core.setup import STEPS
from bumper_tw.dialect.actions import ACTIONS
from bumper_tw.web.dashboard.access_log import Access

#: What a robot is called, by its did; who is not known any more, by that.
Named = Callable[[str], str]

#: What settings are called that can be chosen on a page.
SETTINGS: Mapping[str, str] = {
    "identity.closed": "Keep new robots out",
    "web.unknown": "Questions that nobody knows",
    "commands.timeout": "Patience with a robot",
    "storage.history_days": "Keep reports for",
    "storage.history_reports": "Keep at most",
    "storage.cleaning_logs": "Cleaning jobs of a robot",
    "log.level": "Log",
    "log.levels": "Log, part by part",
}

SERVICES = {"mqtt": "MQTT", "xmpp": "XMPP", "web": "the web"}

LABELS = {action.name: action.label for action in ACTIONS}

#: By method and path; C{about} and C{robot} stand for what the path names.
DEEDS: Mapping[str, str] = {
    "POST /login": "Log in",
    "POST /api/session": "Log in",
    "POST /logout": "Log out",
    "DELETE /api/session": "Log out",
    "POST /welcome": "First visit: choose the owner's password",
    "POST /api/owner": "First visit: choose the owner's password",
    "PUT /api/owner/password": "Change the owner's password",
    "DELETE /api/sessions/<session>": "Log out another browser",
    "POST /api/tokens": "Make a token",
    "DELETE /api/tokens/<token>": "Remove a token",
    "POST /api/login": "Log in to an account",
    "PUT /api/me": "Change their own account",
    "POST /api/accounts": "Add an account",
    "DELETE /api/accounts/<account>": "Remove the account {about}",
    "PUT /api/accounts/<account>/password": "Change the password of {about}",
    "POST /api/robots/<did>/actions/<action>": "{about}: {robot}",
    "POST /api/robots/<did>/map/survey": "Ask for the map: {robot}",
    "PUT /api/robots/<did>/name": "Rename: {robot}",
    "DELETE /api/robots/<did>": "Remove: {robot}",
    "POST /api/robots/<did>/trust": "Accept a new secret: {robot}",
    "POST /api/robots/<did>/firmware/allow": "Allow an update: {robot}",
    "DELETE /api/robots/<did>/firmware/allow": "Allow no update any more: {robot}",
    "PUT /api/robots/<did>/owner": "Give to another account: {robot}",
    "PUT /api/robots/<did>/shares/<account>": "Share with {about}: {robot}",
    "DELETE /api/robots/<did>/shares/<account>": "Share with {about} no more: {robot}",
    "POST /api/command": "Send a command to a robot",
    "POST /api/services/<name>/restart": "Start {about} anew",
    "PATCH /api/settings": "Choose settings: {about}",
    "POST /api/backup": "Save a backup",
    "POST /api/support-bundle": "Save a support bundle",
    "POST /api/setup/<step>/skip": "Pass over a step of the set-up, or not: {about}",
}

#: What people call what a path names, by the deed.
CALLED: Mapping[str, Mapping[str, str]] = {
    "POST /api/robots/<did>/actions/<action>": LABELS,
    "POST /api/services/<name>/restart": SERVICES,
    "POST /api/setup/<step>/skip": {
        name: f"step {number}" for number, name in enumerate(STEPS, start=1)
    },
}

#: What stands in a path for what is somebody's.
SEGMENT = re.compile(r"<[^>]*>")

#: What of a path nobody but its owner may see.
SECRET = re.compile(r"<(token|session)>")


def deed(access: Access, named: Named) -> str:
    """What somebody did, or wanted to."""
    words = DEEDS.get(access.what)
    if words is None:
        return asked(access)
    robot = named(access.did) if access.did else ""
    return words.format(about=about(access), robot=robot)


def about(access: Access) -> str:
    """What else the path names, as people call it."""
    if access.what == "PATCH /api/settings":
        return ", ".join(f"“{SETTINGS.get(key, key)}”" for key in access.about.split())
    return CALLED.get(access.what, {}).get(access.about, access.about)


def asked(access: Access) -> str:
    """What there are no words for: method and path, with what was really in it."""
    said = iter(access.about.split(" "))

    def filled(found: "re.Match[str]") -> str:
        if SECRET.fullmatch(found[0]):
            return "…"
        return access.did if found[0] == "<did>" else next(said, "")

    # Who only looks is written down when he is not let in.
    return SEGMENT.sub(filled, access.what.replace("GET ", "Look at ", 1))


def reason(access: Access) -> str:
    """Why it was refused."""
    return access.why or {401: "not logged in", 429: "too many tries"}.get(access.status, "")
