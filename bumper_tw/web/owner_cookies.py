"""
The cookies of the owner's browsers.

Over TLS a cookie is bound to this very host by its name (RFC 6265bis, 4.1.3).  Over plain HTTP
there is another one, because the pages are needed before a phone trusts our authority: they tell
how it learns to.  Each is good only where it was given, so that what was once sent in clear text
does not open what is not.
"""

from bumper_tw.core.owner_sessions import Opened
from bumper_tw.web.call import Call

SECURE, PLAIN = "__Host-bumper", "bumper_owner"

#: The same for what only tells that this browser was let in before; see
#: L{bumper_tw.core.owner_sessions.known_again}.
SECURE_KNOWN, PLAIN_KNOWN = "__Host-bumper-known", "bumper_known"

#: The same for forms that are there before anybody is logged in.
SECURE_FORM, PLAIN_FORM = "__Host-bumper-form", "bumper_form"

#: Seconds for which a browser keeps the cookie, which is as long as any does; whether it is still
#: good is known here.
KEPT = 400 * 86_400

#: Seconds that somebody may take over a form.
FORM_KEPT = 3600


#: As many cookies of one name are looked at: others may have set some, too.
MOST = 5


def session_tokens(call: Call) -> list[str]:
    """What a browser has to show, one of which may be good."""
    return call.cookies(SECURE if call.secure else PLAIN)[:MOST]


def known_text(call: Call) -> str:
    """What a browser got when it was let in before; empty for nothing."""
    return call.cookie(SECURE_KNOWN if call.secure else PLAIN_KNOWN)


def form_tokens(call: Call) -> list[str]:
    """What a browser got together with a form; one of them may be ours."""
    return call.cookies(SECURE_FORM if call.secure else PLAIN_FORM)[:MOST]


def entered(call: Call, opened: Opened) -> tuple[tuple[str, str], tuple[str, str]]:
    """The headers that give a browser its session, and by what it is known afterwards."""
    known = SECURE_KNOWN if call.secure else PLAIN_KNOWN
    return (
        cookie(known, opened.known, KEPT, call.secure),
        cookie(SECURE if call.secure else PLAIN, opened.token, KEPT, call.secure),
    )


def left(call: Call) -> tuple[str, str]:
    """The header that takes it back."""
    return cookie(SECURE if call.secure else PLAIN, "", 0, call.secure)


def with_form(call: Call, token: str) -> tuple[str, str]:
    """The header that goes with a form."""
    return cookie(SECURE_FORM if call.secure else PLAIN_FORM, token, FORM_KEPT, call.secure)


def cookie(name: str, value: str, seconds: int, secure: bool) -> tuple[str, str]:
    """A header that sets a cookie which no script reads, and which no other site sends along."""
    text = f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    return "Set-Cookie", text + ("; Secure" if secure else "")
