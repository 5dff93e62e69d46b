"""The requester's account. Money is reserved when a page is handed out, and spent when its answers are accepted."""

from __future__ import annotations

from decimal import Decimal

from driftwatch_sandbox.toloka.errors import conflict
from driftwatch_sandbox.toloka.store import Document, Store

FEE_PERCENT = 20
_MILLION = 1_000_000


def page_price(reward: float) -> int:
    """What the requester pays for one page, the reward and Toloka's fee of 20 %, in millionths of a dollar."""
    return round(Decimal(str(reward)) * (100 + FEE_PERCENT) / 100 * _MILLION)


class Account:
    """One document that holds the first balance, the reserved and the spent sum, in millionths of a dollar."""

    def __init__(self, store: Store, first_balance: float) -> None:
        self._store = store
        with store.transaction():
            if store.get("account", "account") is None:
                first = round(Decimal(str(first_balance)) * _MILLION)
                store.put("account", {"id": "account", "first": first, "reserved": 0, "spent": 0})

    def _read(self) -> Document:
        document = self._store.get("account", "account")
        assert document is not None  # the constructor made it
        return document

    def _move(self, reserved: int, spent: int) -> None:
        document = self._read()
        document["reserved"] += reserved
        document["spent"] += spent
        self._store.put("account", document)

    def free(self) -> int:
        """Millionths of a dollar that are neither reserved nor spent."""
        document = self._read()
        return document["first"] - document["reserved"] - document["spent"]

    def require(self, price: int) -> None:
        """Raises NOT_ENOUGH_BALANCE when less than one page's price is left."""
        if self.free() < price:
            message = f"a page costs {price / _MILLION:.4f}, the balance is {self.free() / _MILLION:.4f}"
            raise conflict("NOT_ENOUGH_BALANCE", message)

    def reserve(self, price: int) -> None:
        self._move(price, 0)

    def release(self, price: int) -> None:
        self._move(-price, 0)

    def spend_reserved(self, price: int) -> None:
        self._move(-price, price)

    def spend(self, price: int) -> None:
        """Pays at once for an answer that is accepted after it was rejected. Raises NOT_ENOUGH_BALANCE."""
        self.require(price)
        self._move(0, price)

    def set_balance(self, dollars: float) -> None:
        """Sets how many dollars can still be used: money was paid in or taken out."""
        document = self._read()
        document["first"] = round(Decimal(str(dollars)) * _MILLION) + document["reserved"] + document["spent"]
        self._store.put("account", document)

    def summary(self) -> dict[str, float]:
        """Dollars: balance (what can still be used), reserved, spent (both with the fee)."""
        document = self._read()
        names = {"balance": self.free(), "reserved": document["reserved"], "spent": document["spent"]}
        return {name: value / _MILLION for name, value in names.items()}
