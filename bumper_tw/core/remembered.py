"""Which secrets were right a moment ago, so that whoever reconnects costs no slow hash."""

import hmac
from collections import OrderedDict
from hashlib import blake2b

#: How long a tag is; nobody gets more than a guess per connection at it.
TAG_BYTES = 32

#: What BLAKE2b takes as a key.
KEY_BYTES = range(16, 65)

#: What is held of a name that is not remembered.
NOTHING = (b"", b"")


class Remembered:
    """
    Secrets that a slow hash has found right, one for each name, in memory alone.

    What is kept is a tag under a key that lives as long as the process: no secret, and
    nothing that could be compared with another run's.  It covers the stored hash, too, so a
    changed password is not remembered any more.
    """

    def __init__(self, random_key: bytes, size: int = 1000) -> None:
        """
        @param random_key: from 16 to 64 fresh random bytes.
        @param size: as many names are remembered; the one unused for longest goes first.
        @raise ValueError: the key is too short or too long.
        """
        if len(random_key) not in KEY_BYTES:
            raise ValueError("the key needs from 16 to 64 bytes")
        self._key, self._size = random_key, size
        # Of the stored hash alone, and of what was right for it.
        self._tags: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tags)

    def knows(self, name: str, stored_hash: str, secret: bytes) -> bool:
        """Whether just this secret was right for just this stored hash.  Takes microseconds."""
        _, tag = self._tags.get(name, NOTHING)
        known = hmac.compare_digest(tag, self._tag(name, stored_hash, secret))
        if known:
            # Only who is right moves up: strangers do not decide who is forgotten.
            self._tags.move_to_end(name)
        return known

    def holds(self, name: str, stored_hash: str) -> bool:
        """Whether some secret was right for just this stored hash: then no other one is."""
        return self._tags.get(name, NOTHING)[0] == self._tag("", stored_hash, b"")

    def remember(self, name: str, stored_hash: str, secret: bytes) -> None:
        """The slow hash has found this secret right."""
        whole = self._tag(name, stored_hash, secret)
        self._tags[name] = self._tag("", stored_hash, b""), whole
        self._tags.move_to_end(name)
        while len(self._tags) > self._size:
            self._tags.popitem(last=False)

    def forget(self, name: str) -> None:
        """Whatever was remembered of a name; nothing is fine."""
        self._tags.pop(name, None)

    def _tag(self, name: str, stored_hash: str, secret: bytes) -> bytes:
        tag = blake2b(key=self._key, digest_size=TAG_BYTES)
        for part in (
            name.encode("utf-8", "surrogatepass"),
            stored_hash.encode("utf-8", "surrogatepass"),
            secret,
        ):
            # With their lengths, so that what moves across a border is something else.
            tag.update(len(part).to_bytes(8, "big"))
            tag.update(part)
        return tag.digest()
