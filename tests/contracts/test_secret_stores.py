"""What every store of robots' secrets does, in a dictionary and in SQL alike."""

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from bumper_tw.interfaces import IRobotSecretStore
from bumper_tw.storage.database import InlineDatabase
from bumper_tw.storage.memory_secrets import MemoryRobotSecretStore
from bumper_tw.storage.robot_secrets import RobotSecretStore

if TYPE_CHECKING:
    Contract = SynchronousTestCase
else:
    Contract = object


class SecretStoreContract(Contract):
    """What any L{IRobotSecretStore} does."""

    def make(self) -> IRobotSecretStore:
        """A fresh provider."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make()

    def load(self) -> list[tuple[str, str]]:
        """What is in the store, in its order."""
        return list(self.successResultOf(self.store.load()).items())

    def test_provides(self) -> None:
        """It keeps the signatures of the promise."""
        self.assertTrue(verifyObject(IRobotSecretStore, self.store))

    def test_empty(self) -> None:
        """A fresh store knows nobody."""
        self.assertEqual(self.load(), [])

    def test_order(self) -> None:
        """What was saved comes back, the first known first, whatever it is called."""
        for did in ("sandy", "dusty"):
            self.successResultOf(self.store.save(did, f"secret of {did}"))
        self.assertEqual(self.load(), [("sandy", "secret of sandy"), ("dusty", "secret of dusty")])

    def test_replaced(self) -> None:
        """A robot that is saved again changes and keeps its place."""
        for did, secret in (("sandy", "a"), ("dusty", "b"), ("sandy", "c")):
            self.successResultOf(self.store.save(did, secret))
        self.assertEqual(self.load(), [("sandy", "c"), ("dusty", "b")])

    def test_spelling(self) -> None:
        """Robots are told apart by the case of their letters."""
        self.store.save("dusty", "a")
        self.store.save("Dusty", "b")
        self.assertEqual(self.load(), [("dusty", "a"), ("Dusty", "b")])

    def test_removed(self) -> None:
        """Dropping a robot leaves the others; when it is back, it is the last."""
        self.store.save("sandy", "a")
        self.store.save("dusty", "b")
        self.successResultOf(self.store.remove("sandy"))
        self.assertEqual(self.load(), [("dusty", "b")])
        self.store.save("sandy", "c")
        self.assertEqual(self.load(), [("dusty", "b"), ("sandy", "c")])

    def test_removed_unknown(self) -> None:
        """Dropping a robot that is not there is fine."""
        self.successResultOf(self.store.remove("dusty"))
        self.assertEqual(self.load(), [])

    def test_loaded_is_ours(self) -> None:
        """What was loaded is a copy: changing it changes nothing in the store."""
        self.store.save("sandy", "a")
        self.successResultOf(self.store.load()).clear()
        self.assertEqual(self.load(), [("sandy", "a")])


class MemorySecretStoreTests(SecretStoreContract, SynchronousTestCase):
    """Secrets in a dictionary."""

    def make(self) -> IRobotSecretStore:
        return MemoryRobotSecretStore()


class SqlSecretStoreTests(SecretStoreContract, SynchronousTestCase):
    """Secrets in SQL."""

    def make(self) -> IRobotSecretStore:
        return RobotSecretStore(InlineDatabase())
