"""What can happen to a contact in the handshake, and at once after it."""

from bumper_tw.front.acquaintances import left_silently, server_name
from bumper_tw.front.alerts import Trouble, trouble
from bumper_tw.front.contact import Outcome
from bumper_tw.front.kinds import Case, is_here, scanner
from bumper_tw.front.tls_names import SUITE, is_hopeless, lacking
from bumper_tw.front.whom import Party
from bumper_tw.pki.zones import in_zone

#: How many seconds around a connection others of the same client are taken to be well.
NEARBY = 600.0

#: As many times within so many seconds around it somebody leaves without a word until that means
#: something.
TIMES, AROUND = 3, 3600.0


def _trouble(case: Case) -> Trouble | None:
    """Why TLS failed, if it did."""
    contact = case.contact
    return trouble(contact.alert) if contact.outcome is Outcome.TLS_FAILED else None


def _is_robots(case: Case) -> bool:
    return case.whom.party is Party.ROBOT


def _rejected(case: Case) -> bool:
    """Whether our certificate was looked at, and not liked."""
    return _trouble(case) in {Trouble.UNTRUSTED, Trouble.DISLIKED}


def _left_at_once(case: Case) -> bool:
    """Whether the handshake was all there was."""
    return left_silently(case.contact) and bool(case.contact.tls)


def _left_within(case: Case) -> bool:
    """Whether not even that was over."""
    return left_silently(case.contact) and not case.contact.tls and not scanner(case)


def _again_and_again(case: Case) -> bool:
    contact = case.contact
    name = server_name(contact)
    often = case.known.leavings_around(name, contact.began, AROUND) >= TIMES
    return often and not is_here(case)


def _proved(case: Case) -> bool:
    return 0 < case.known.trusted_since <= case.contact.began


def clear_on_tls(case: Case) -> bool:
    """Clear text where TLS was expected."""
    wrong = case.contact.outcome is Outcome.WRONG_LAYER and case.contact.wants_tls
    return wrong or _trouble(case) is Trouble.CLEAR


def old_tls(case: Case) -> bool:
    """No version of TLS in common."""
    return _trouble(case) is Trouble.VERSION


def no_cipher(case: Case) -> bool:
    """No cipher suite in common, or something else that both need."""
    return _trouble(case) is Trouble.CIPHER


def hopeless(case: Case) -> bool:
    """No cipher suite in common, and there would be none with other settings."""
    hello = case.contact.hello
    lacks, _ = lacking(hello, case.contact.alert)
    return no_cipher(case) and lacks == SUITE and is_hopeless(hello)


def clock(case: Case) -> bool:
    """It says that it is the wrong time for our certificate."""
    return _trouble(case) is Trouble.CLOCK


def robot_pins(case: Case) -> bool:
    """A robot looked at our certificate and does not know who vouches for it."""
    return _is_robots(case) and untrusted(case)


def robot_disliked(case: Case) -> bool:
    """A robot does not like our certificate, perhaps because it has not got the time yet."""
    return _is_robots(case) and disliked(case)


def robot_left(case: Case) -> bool:
    """A robot leaves without a word, again and again."""
    left = _left_within(case) or (_left_at_once(case) and not unused(case))
    return _is_robots(case) and left and _again_and_again(case)


def robot_gave_up(case: Case) -> bool:
    """A robot ended the handshake, and did not say why."""
    return _is_robots(case) and _trouble(case) is Trouble.GIVEN_UP


def app_pins(case: Case) -> bool:
    """It does not like our certificate, and something beside it does."""
    return _rejected(case) and _proved(case) and not is_here(case)


def app_left(case: Case) -> bool:
    """An app shakes hands and leaves, again and again."""
    return _left_at_once(case) and not unused(case) and _again_and_again(case)


def disliked(case: Case) -> bool:
    """It does not like our certificate, for one of several reasons."""
    return _trouble(case) is Trouble.DISLIKED


def program_rejected(case: Case) -> bool:
    """A program, that nobody can open a page on, does not trust us."""
    return untrusted(case) and case.whom.party is Party.PROGRAM


def untrusted(case: Case) -> bool:
    """It does not know who vouches for us."""
    return _trouble(case) is Trouble.UNTRUSTED


def cut(case: Case) -> bool:
    """The handshake was ended without a reason, or that comes again and again."""
    ended = _left_within(case) and _again_and_again(case)
    return ended or _trouble(case) is Trouble.GIVEN_UP


def own_cut(case: Case) -> bool:
    """Something on this box began with TLS and left."""
    return is_here(case) and left_silently(case.contact) and not case.contact.tls


def left_once(case: Case) -> bool:
    """TLS was ended without a word: once, or a few times."""
    return _left_within(case) or (_left_at_once(case) and not unused(case))


def tls_failed(case: Case) -> bool:
    """TLS failed for any other reason."""
    return case.contact.outcome is Outcome.TLS_FAILED


def unused(case: Case) -> bool:
    """
    It shook hands to no purpose: it spoke on another connection, before or after, or wants
    nothing of the vendor's, or tries out on this box whether TLS works.
    """
    contact, known = case.contact, case.known
    well = bool(known.content_at) and abs(known.content_at - contact.began) <= NEARBY
    name = server_name(contact)
    # Robots need not say any.
    nothing = is_here(case) or not (in_zone(name) or (_is_robots(case) and not name))
    return _left_at_once(case) and (well or nothing)
