"""Passwords as other programs store them."""

from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bumper_tw.core.password_hashes import (
    ARGON2,
    MAX_PASSWORD,
    MAX_ROUNDS,
    MAX_TEXT,
    MalformedHash,
    PasswordHash,
    read,
)

HORSE = "correct horse"
SNOW = "größe☃"

MKPASSWD = (
    "$6$mnst.xraJ/JTWn7T$n5UxWmYtVG3.nJeS5Cz4qlJMFlP5DJDC0IstwE7KxsevlXcPAQ5pYP3g8V6Zsw0g"
    "qfZwWRSs5g1KbF63waeEn."
)
MOSQUITTO_6 = (
    "$6$e0+qsEJzZC3WOuyF$oFA2xh29/NqVvWehbhx7EbXKqs438re8GobBR4uXgSUFknU2MqMnntWVJ4AJ2BAs"
    "CTXUTtEf6wRCnD+bgYlhdA=="
)
MOSQUITTO_7 = (
    "$7$101$xaGfwYbbF+JagygW$caCNs0LsSwSmz1tB1JcdXXwV0IAPW8nabA7NkdStx2VZ54JSNQMCbU7MpnrT"
    "ARWgAvP6LOWEkQoqUud55Kl9+g=="
)
SCRYPT = "$scrypt$ln=10,r=8,p=1$kDLGGEPImROi9F5L6R3j/A$3vGkdqynFnck01FOarBjST4HGgqKKfSkQim2cYW+crA"
ARGON2ID = (
    "$argon2id$v=19$m=64,t=2,p=1$DQEAQOi915oT4jyn9P5f6w"
    "$+kSs/9475eyyr512Hj8+en1IyzM09ZRYa4geYsp17Z8"
)

#: What the programs have written: each a password and its hash.
WRITTEN: Mapping[str, tuple[str, str]] = {
    "mkpasswd -m sha-512": (HORSE, MKPASSWD),
    "mkpasswd -m sha-512 -R 5000": (
        HORSE,
        (
            "$6$rounds=5000$saltysalt$MBKRieRS9MsDjiJXk44MZ3c9IYPXTEdG44eMlXoU5iFUg.2Ccg7cODUHY5Z"
            "l2Oerc1iEpm74LEizgaAlmBknq1"
        ),
    ),
    "mkpasswd, no password": (
        "",
        (
            "$6$rounds=1000$/6uo4LyTryx0GlRr$EUFRluoDGqwePq/lOxaZ430gVV5nOwEwdhuPD0gyLLBmHr1qpmvx"
            "KIouau6xR4pHGl7nLliFcZB3eiBXKA6Ee/"
        ),
    ),
    "mkpasswd, beyond ASCII": (
        SNOW,
        (
            "$6$IuRaMEjF6KDgaltO$aecCGKlT28FdsgZiCvLkPiMo481TtdeIXItYjFvBjEXIzgtWWtqR1qSr60iSCM9h"
            "RKxN.sOSgPisvXRIrRpb3."
        ),
    ),
    "openssl passwd -6": (
        HORSE,
        (
            "$6$abc$dv7vAygfDghQeO8lNAuLv4y4HAQXw9d6a14dcjFGfTijFc0S6MgzM7g53hZv6MaGDXhNpGxhpXakW"
            "uTlqHtzn."
        ),
    ),
    "passlib sha512_crypt": (
        HORSE,
        (
            "$6$rounds=1000$zhLs9kJMMUJ1iDvK$1p9.qPpqZ5FMLp/cl4xnN2XUsFe2CBFZS8m8BVUtPF1IaV.9.01Z"
            "ngKzQZvyA9ciroV8HkWW1biQa1QctFxa50"
        ),
    ),
    "mosquitto_passwd -H sha512": (HORSE, MOSQUITTO_6),
    "mosquitto_passwd": (HORSE, MOSQUITTO_7),
    "mosquitto_passwd, beyond ASCII": (
        SNOW,
        (
            "$7$101$kQqzUaU0Om+A1mXs$ptGle6V77W3rEe2N4coCs8K0Ef9jI03bS69bWR+f/3DBRUjwRjrb8KpNPcK0"
            "2orD97kWxXRUX5w8fhGchHWUcg=="
        ),
    ),
    "passlib pbkdf2_sha512": (
        HORSE,
        (
            "$pbkdf2-sha512$25000$DmGMkbKWcq4VYixlTMm59w$dFMnRdB769nYAZOKnCKuSFFKzmiUFfzA6HXdF5ih"
            "OvWUhsp7mbUORkLP29ulpRhS1x5Vi/JYbQGByGy5utS6SQ"
        ),
    ),
    "passlib pbkdf2_sha256": (
        HORSE,
        "$pbkdf2-sha256$29000$zNm7d64VAuC89z4HoFQK4Q$5hwrPfCvM3dH2GrwB3IlYikeJKmDP5GPo0HWiNbBuAY",
    ),
    "passlib scrypt": (HORSE, SCRYPT),
    "passlib scrypt, as costly as it comes": (
        HORSE,
        "$scrypt$ln=16,r=8,p=1$/T+H8D7HGMP4XwuhdO49Zw$3zKqXTM3fgNR4oDiXQD0kGOZxtsnJpLd8WfVskGX9gI",
    ),
}

#: What argon2-cffi has written, by kind; for L{HORSE}.
ARGON2_WRITTEN = {
    "argon2i": "$argon2i$v=19$m=64,t=2,p=1$w9gbY6w15lwLYYxxzvn/Xw"
    "$Iz9i9YxisrqXhtFnBfNAWxLDAHVOXBpIdY9Y7EUGgGI",
    "argon2d": "$argon2d$v=19$m=64,t=2,p=1$KgUAwJgTQgiBkPK+FwLA+A"
    "$VAuNOMxK+2/bRJL6eKc2LK91f9+jZ7JnO+qnVsxK5ik",
    "argon2id": ARGON2ID,
}

#: SHA-512-crypt has borders at the sizes of a digest and of the salt: passlib's hashes of as
#: many letters x under a thousand rounds, with a salt of as many letters s as the remainder
#: that 17 leaves.
LENGTHS = {
    1: "7XDU1ABRbqPVMczp.zJ9FBaWWwzhXLyaEZWeQPoeYReVIQN5qyOyeF89XU4irNWivJ6DCvTboKoI9BNUN.jdG0",
    16: "g08.pajHdWhUuG2.Jr7zNQvrDw.Y2lNsTiEHZiqqc.tk/qvd1I1juXlqJrciB73mX0UdUmkHZUcFy5XdEp7RE0",
    17: "fjhM3S493MWuQJ932qcv6ZbVqRmSOJEjL2RQ.pdUOXTEQB2hC/9u5VfTPUxrXKmpRr3A81A3nHRUt6Xo2AAcn0",
    63: "N4YZB7.pqznErB0molHOdKr8Ce6oHpq.NL4Sycgc1ff.jIZGyIwzhU36j/0RpzGjfjMrJVwxxFvg1pNu0zJoy.",
    64: "yeY4ROnAOwj11FGIEhFN2mM.YmKY.TPSfPgmcARv/xHoaSWYe6VHqH8rjVu6h6/a4MrBP1fHVo9xU2qd4bGef.",
    65: "g7bbH2eB1J7iQMUNCia8xmVKTFiVb50VXRv5gbLbbGcjSeid0YUl8KyMwo2esUncz5fXl3czSEgBT0BHqBzRV0",
    128: "iVNrZUdg3rTqMI8bIyGdD3PhnqIOYijJdhg0CmwzepWD6Xo1L2v5jkFRpKSWN6b0/W9B4NDYheQqeVNvb5jk8/",
    200: "E2tE61GeYcL9/cpnhERAkdo8zunOLvyLdakPVWfagbtuLBe5ZQ0/kQgJdssLDxVYcvCxOfydsx36liM.9GpIq.",
}

#: What comes close to a hash, by what is said of it.
CLOSE: Mapping[str, tuple[str, ...]] = {
    "no password hash of a kind we know": (
        "",
        "secret",
        "$",
        "$$$$",
        "$1$abc$def",
        "$5$" + MKPASSWD[3:],
        "$2b$12$" + "a" * 53,
        MKPASSWD[1:],
        " " + MKPASSWD,
        "x" + MOSQUITTO_7,
        "$argon2id$m=64,t=2,p=1$DQEAQOi915oT4jyn9P5f6w$+kSs",
        "$ARGON2ID" + ARGON2ID[9:],
        "$argon2x" + ARGON2ID[9:],
    ),
    "too few or too many parts": (
        "$6$",
        "$6$salt",
        "$6$rounds=5000" + MKPASSWD[2:] + "$x",
        MOSQUITTO_7 + "$",
        "$7$101$salt",
        SCRYPT + "$",
    ),
    "SHA-512-crypt is not one": (
        "$6$salt$",
        "$6$salt$hash",
        MKPASSWD[:-1],
        MKPASSWD + ".",
        MKPASSWD[:-1] + "=",
        MKPASSWD + "$",
        "$6$" + "s" * 17 + MKPASSWD[19:],
        "$6$s:lt" + MKPASSWD[19:].replace(".", "!"),
        "$6$säl" + MKPASSWD[19:],
        # A hash of mosquitto that lost a character is not taken for one of crypt.
        MOSQUITTO_6[:-1],
    ),
    "from 1000 to": (
        "$6$rounds=999" + MKPASSWD[2:],
        f"$6$rounds={MAX_ROUNDS + 1}" + MKPASSWD[2:],
        "$6$rounds=999999999" + MKPASSWD[2:],
    ),
    "from 1 to": (MOSQUITTO_7.replace("101", str(MAX_ROUNDS + 1)),),
    "cost of the hash cannot be read": (
        "$6$rounds=" + MKPASSWD[2:],
        "$6$5000" + MKPASSWD[2:],
        "$6$rounds=05000" + MKPASSWD[2:],
        "$6$rounds=+5000" + MKPASSWD[2:],
        "$6$rounds=5_000" + MKPASSWD[2:],
        "$6$rounds=\u0665\u0660\u0660\u0660" + MKPASSWD[2:],
        "$6$rounds=" + "9" * 900 + MKPASSWD[2:],
        MOSQUITTO_7.replace("101", "0"),
        MOSQUITTO_7.replace("101", "-1"),
        MOSQUITTO_7.replace("101", "101\n"),
        SCRYPT.replace("ln=10", "ln=0"),
        SCRYPT.replace("ln=10,r=8", "r=8,ln=10"),
        ARGON2ID.replace("t=2", "t=0"),
        ARGON2ID.replace("p=1", "p=1,keyid=aaaa"),
    ),
    "has no rounds": ("$6$rounds=6000" + MOSQUITTO_6[2:],),
    "is not Base64": (
        MOSQUITTO_7.replace("xaG", "x!G"),
        MOSQUITTO_7.replace("xaG", "xäG"),
        MOSQUITTO_7[:-3] + "==",
    ),
    "too short or too long": (
        "$7$101$xaGfwYbbF+JagygW$",
        "$7$101$$" + MOSQUITTO_7[24:],
        "$7$101$xaGfwYbbF+JagygW$aaaa",
        MOSQUITTO_6[:-8] + "==",
        "$scrypt$ln=10,r=8,p=1$kDLGGEPImROi9F5L6R3j/A$3vGkdqyn",
        "$pbkdf2-sha256$29000$zNm7d64VAuC89z4HoFQK4Q$" + "a" * 86,
    ),
    "too much time or memory": (
        SCRYPT.replace("ln=10", "ln=19"),
        SCRYPT.replace("ln=10", "ln=9999999999"),
        SCRYPT.replace("r=8", "r=9999999999"),
        SCRYPT.replace("p=1", "p=1000"),
        ARGON2ID.replace("m=64", "m=262145"),
        ARGON2ID.replace("t=2", "t=9999999"),
        ARGON2ID.replace("p=1", "p=65"),
    ),
    "another version of Argon2": (ARGON2ID.replace("v=19", "v=16"),),
    "hash is too long": ("$6$" * MAX_TEXT, MKPASSWD + "a" * MAX_TEXT),
}


class Kdf:
    """Argon2 as it is where the box cannot do it, or does not like the cost."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __call__(self, **_: object) -> object:
        raise self._error


class WrittenTests(SynchronousTestCase):
    """Hashes that the programs have written."""

    def test_right_and_wrong(self) -> None:
        """The password opens its hash, and nothing near it does."""
        for origin, (password, text) in WRITTEN.items():
            stored = read(text)
            self.assertTrue(stored.matches(password.encode()), origin)
            for wrong in (password + "\0", password + " ", password.upper() + "X", text):
                self.assertFalse(stored.matches(wrong.encode()), (origin, wrong))

    def test_crypt_of_any_length(self) -> None:
        """Passwords and salts of all lengths around the borders of SHA-512-crypt are right."""
        for length, hashed in LENGTHS.items():
            stored = read(f"$6$rounds=1000${'s' * (length % 17)}${hashed}")
            self.assertTrue(stored.matches(b"x" * length), length)
            self.assertFalse(stored.matches(b"x" * (length + 1)), length)

    def test_rounds_are_counted(self) -> None:
        """The default number of rounds may be said, and another one is another hash."""
        said = read("$6$rounds=5000" + MKPASSWD[2:])
        self.assertTrue(said.matches(HORSE.encode()))
        self.assertFalse(read("$6$rounds=5001" + MKPASSWD[2:]).matches(HORSE.encode()))

    def test_alphabets(self) -> None:
        """Base64 may be written with a dot for the plus, and with padding or without."""
        for text in (
            MOSQUITTO_7.replace("+", "."),
            MOSQUITTO_7.rstrip("="),
            SCRYPT.replace("+", ".") + "=",
        ):
            self.assertTrue(read(text).matches(HORSE.encode()), text)

    def test_argon2(self) -> None:
        """The kinds of Argon2 that this box has open with their password, and with no other."""
        for kind, text in ARGON2_WRITTEN.items():
            if ARGON2.get(kind) is None:
                self.assertRaises(MalformedHash, read, text)
                continue
            stored = read(text)
            for _ in range(2):
                self.assertTrue(stored.matches(HORSE.encode()), kind)
            self.assertFalse(stored.matches(b"Correct horse"), kind)

    def test_nothing_is_shown(self) -> None:
        """A stored hash does not end up in a log by accident."""
        self.assertEqual(repr(read(MOSQUITTO_7)), "PasswordHash()")

    def test_unfit_passwords(self) -> None:
        """A password that would cost too much, or has a zero byte, is wrong unhashed."""
        seen: list[bytes] = []

        def derive(password: bytes) -> bytes:
            seen.append(password)
            return b"same"

        stored = PasswordHash(derive, b"same")
        self.assertTrue(stored.matches(b"x" * MAX_PASSWORD))
        self.assertFalse(stored.matches(b"x" * (MAX_PASSWORD + 1)))
        self.assertFalse(stored.matches(b"x\0"))
        self.assertEqual(seen, [b"x" * MAX_PASSWORD, b"", b""])


class MalformedTests(SynchronousTestCase):
    """What is no hash opens nothing."""

    def test_close(self) -> None:
        """What comes close to a hash is refused with the reason, which shows none of it."""
        able = {kind: Kdf(ValueError()) for kind in ARGON2_WRITTEN}
        for reason, texts in CLOSE.items():
            for text in texts:
                error = self.assertRaises(MalformedHash, read, text, able)
                self.assertIn(reason, str(error), text)

    def test_every_cut(self) -> None:
        """A hash that lost its end is no hash, or not for the same password."""
        for text in (MKPASSWD, MOSQUITTO_6, MOSQUITTO_7, SCRYPT):
            for size in range(len(text.rstrip("="))):
                try:
                    stored = read(text[:size])
                except MalformedHash:
                    continue
                self.assertFalse(stored.matches(HORSE.encode()), text[:size])

    def test_no_argon2(self) -> None:
        """Where the box has no Argon2, the reason says what is missing."""
        for kdfs, reason in (
            ({}, "needs cryptography >= 44 for Argon2id"),
            ({"argon2id": None}, "needs cryptography >= 44 for Argon2id"),
            (
                {"argon2id": Kdf(UnsupportedAlgorithm(""))},
                "needs cryptography with OpenSSL >= 3.2",
            ),
            ({"argon2id": Kdf(ValueError())}, "not how an Argon2 hash is made"),
        ):
            error = self.assertRaises(MalformedHash, read, ARGON2ID, kdfs)
            self.assertIn(reason, str(error))

    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Whatever a text is, it is no hash; and that is said without another error."""
        self.assertRaises(MalformedHash, read, text)

    @given(
        st.sampled_from([MKPASSWD, MOSQUITTO_6, MOSQUITTO_7, SCRYPT, ARGON2ID]),
        st.integers(0, 110),
        st.characters(max_codepoint=0x17F),
    )
    @settings(max_examples=50, deadline=None)  # A slip may make it more costly.
    def test_any_slip(self, text: str, place: int, instead: str) -> None:
        """A hash with another character in it is refused, or opens only as the same bytes."""
        at = place % len(text)
        slipped = text[:at] + instead + text[at + 1 :]
        try:
            stored = read(slipped)
        except MalformedHash:
            return
        original = read(text)
        if stored.matches(HORSE.encode()):
            self.assertEqual(stored.expected, original.expected)
