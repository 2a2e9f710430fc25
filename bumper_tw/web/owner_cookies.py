"""
The cookies of the owner's browsers.

Over TLS a cookie is bound to this very host by its name (RFC 6265bis, 4.1.3).  Over plain HTTP
there is another one, because the pages are needed before a phone trusts our authority: they tell
how it learns to.  Each is good only where it was given, so that what was once sent in clear text
does not open what is not.
"""

from bumper_tw.web.call import Call

SECURE, PLAIN = "__Host-bumper", "bumper_owner"

#: The same for forms that are there before anybody is logged in.
SECURE_FORM, PLAIN_FORM = "__Host-bumper-form", "bumper_form"

#: Seconds for which a browser keeps the cookie, which is as long as any does; whether it is still
#: good is known here.
KEPT = 400 * 86_400

#: Seconds that somebody may take over a form.
FORM_KEPT = 3600


def session_token(call: Call) -> str:
    """What a browser has to show; empty for nothing."""
    return call.cookie(SECURE if call.secure else PLAIN)


def form_token(call: Call) -> str:
    """What a browser got together with a form; empty for nothing."""
    return call.cookie(SECURE_FORM if call.secure else PLAIN_FORM)


def entered(call: Call, token: str) -> tuple[str, str]:
    """The header that gives a browser its session."""
    return cookie(SECURE if call.secure else PLAIN, token, KEPT, call.secure)


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
