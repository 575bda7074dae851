"""The stores that the suite torments."""

from typing import Literal, TypeAlias

StoreKind: TypeAlias = Literal["sqlite", "postgres"]
