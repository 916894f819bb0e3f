"""What a message costs: a price per part by the recipient's prefix, as the customer's reseller has set it (contract §12).

The longest prefix that has a price counts; without one a part costs a credit. One query for a batch, and none where
nobody has rates.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rejoinder.flow.ports import Tables

# Contract §12: one credit per part unless a rate table says otherwise.
PRICE_PER_PART = 1000


class Prices:
    """The prices under the prefixes of some recipients: (reseller, prefix) to 1/1000 credit a part."""

    __slots__ = ("_rates",)

    def __init__(self, rates: Mapping[tuple[int, str], int]) -> None:
        self._rates = rates

    def rate(self, reseller_id: int, recipient: str) -> tuple[str | None, int]:
        """The prefix that counts (None: there is none) and the price of a part."""
        if self._rates:
            for length in range(len(recipient), -1, -1):
                price = self._rates.get((reseller_id, recipient[:length]))
                if price is not None:
                    return recipient[:length], price
        return None, PRICE_PER_PART

    def per_part(self, reseller_id: int, recipient: str) -> int:
        """What a part to this recipient costs."""
        return self.rate(reseller_id, recipient)[1]


async def read_prices(tables: Tables, wanted: Collection[tuple[int, str]], rated: bool) -> Prices:
    """The prices for (reseller, recipient). `rated`: whether anybody has rates."""
    if not rated:
        return Prices({})
    keys = {
        (reseller, recipient[:length])
        for reseller, recipient in wanted
        for length in range(len(recipient) + 1)
    }
    return Prices(await tables.rates.of(keys))
