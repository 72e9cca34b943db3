"""HashRing: which node does a key belong to?"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from typing import Any, Generic, Optional, TypeVar, Union, cast

from hash_ring import _ring

N = TypeVar("N")
Weight = Union[int, float, Fraction, Decimal]

MAX_WEIGHT = 2**64 - 1


@dataclass(frozen=True)
class Move(Generic[N]):
    """A share of all positions, from 0 to 1, whose keys go from one node to another; the node of an
    empty ring is None."""

    source: Optional[N]
    target: Optional[N]
    share: float


@dataclass(frozen=True)
class Comparison(Generic[N]):
    """What moves when one ring takes another's place: the sum of all shares, and each."""

    moved: float
    moves: list[Move[N]]


class HashRing(_ring.Ring[N]):
    """A ring of nodes, by default with the points of DataDog's hash_ring.

    nodes: any objects with a __str__, usually "host:port". The text is hashed, in UTF-8; lookups
        return the object.
    weights: from node to weight, a number of at least 0; 1 for a node that it does not have. Only
        the shares of the sum matter, except with nginx and where 0 counts 1. If any is no integer,
        all are multiplied to exact ones first, a float being what it prints as.
    dialect: whose rules to follow: libketama, hash_ring, hash_ring_unweighted,
        libmemcached_weighted, libmemcached, libmemcached_md5, twemproxy, spymemcached, dalli,
        nginx, npm_hashring or npm_memcached. Left out, it is hash_ring with weights, and
        hash_ring_unweighted without.

    Any number of threads may look keys up, also while another adds or removes nodes.
    """

    def __init__(
        self,
        nodes: Optional[Iterable[N]] = None,
        weights: Optional[Mapping[N, Weight]] = None,
        *,
        dialect: Optional[str] = None,
    ) -> None:
        if dialect is None:
            dialect = "hash_ring" if weights else "hash_ring_unweighted"
        self._build([] if nodes is None else nodes, weights or {}, dialect)

    @classmethod
    def from_file(
        cls,
        path: Union[str, bytes, os.PathLike[str]],
        *,
        dialect: Optional[str] = None,
    ) -> HashRing[str]:
        """The ring of a server definition file: a line a server, its name and its weight. The file
        is read strictly: what is wrong is a ValueError that names the line and the column."""
        os.stat(path)
        servers = _ring.read(path, dialect or "hash_ring")
        nodes = [name.decode("utf-8", "surrogateescape") for name, _ in servers]
        weights = {node: weight for node, (_, weight) in zip(nodes, servers)}
        for node, (_, weight) in zip(nodes, servers):
            if weights[node] != weight:
                raise ValueError(f"{node} is listed with two weights: {weight} and {weights[node]}")
        return cast("type[HashRing[str]]", cls)(nodes, weights, dialect=dialect)

    def _build(self, nodes: Iterable[N], weights: Mapping[N, Weight], dialect: str) -> None:
        listed = tuple(nodes)
        # Nodes need no hash where there are no weights.
        own: list[Weight] = [weights.get(node, 1) if weights else 1 for node in listed]
        names = [_text(node) for node in listed]
        self._set(listed, names, _integers(own), dialect, len(set(names)) < len(names))
        # As given, unless it can be read only once.
        self.nodes = nodes if isinstance(nodes, Collection) else list(listed)
        self.weights = weights
        self.dialect = dialect
        self._listed = listed

    def iterate_nodes(
        self, key: Union[str, bytes], distinct: bool = True
    ) -> Generator[N, None, None]:
        """Once around the ring from a key's position: each node when it is first met, or with
        distinct=False the node of every point."""
        yield from self.get_nodes(key) if distinct else self._points(key)

    def add_node(self, node: N, weight: Optional[Weight] = None) -> None:
        """Adds a node at the end of the list. Most keys stay where they are.

        ValueError if it is on the ring already; also if it is given a weight on a ring of
        hash_ring_unweighted, which would have to become one of hash_ring: most keys would move.
        """
        if node in self._listed:
            raise ValueError(f"{node} is on the ring already")
        weights = self.weights
        if weight is not None:
            if self.dialect == "hash_ring_unweighted":
                raise ValueError("this ring has no weights: make a new one with them")
            weights = {**weights, node: weight}
        self._build([*self._listed, node], weights, self.dialect)

    def remove_node(self, node: N) -> None:
        """Removes a node: its keys go to the others. ValueError if it is not on the ring."""
        if node not in self._listed:
            raise ValueError(f"{node} is not on the ring")
        others = [other for other in self._listed if other is not node and other != node]
        weights = self.weights and {n: weight for n, weight in self.weights.items() if n != node}
        self._build(others, weights, self.dialect)

    def share(self) -> dict[N, float]:
        """The exact share of all positions that each node owns, from 0 to 1. Nodes need a hash."""
        shares: dict[N, float] = {}
        for node, share in self._shares():
            shares[node] = shares.get(node, 0.0) + share
        return shares

    def compare(self, other: HashRing[N]) -> Comparison[N]:
        """What moves when another ring takes the place of this one, exactly: the positions whose
        node has another text. ValueError if the rings place keys by different hashes."""
        moved, moves = self._compare(other)
        if not self._listed or not other._listed:
            moves = [(node, None, share) for node, share in self._shares()]
            moves += [(None, node, share) for node, share in other._shares()]
            moved = float(bool(moves))
        return Comparison(moved, [Move(*move) for move in moves])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build(self.nodes, self.weights, self.dialect)


def _text(node: object) -> bytes:
    # Python 2's str, for which hash_ring was written, was bytes.
    return node if isinstance(node, bytes) else str.encode(str(node), "utf-8", "surrogateescape")


def _integers(weights: list[Weight]) -> list[int]:
    for weight in weights:
        if not isinstance(weight, (Real, Decimal)):
            raise TypeError(f"a weight is a number, not {type(weight).__name__}")
        if weight != weight or not 0 <= weight <= MAX_WEIGHT:
            raise ValueError(f"a weight is from 0 to 2**64 - 1, and not {weight}")
    try:
        return [operator.index(weight) for weight in weights]  # type: ignore[arg-type]
    except TypeError:
        # As they print: 0.1 is a tenth, and not the binary fraction next to it. One that is smaller
        # than the smallest of 64 bits need not be printed.
        if not any(0 < weight < 1 / MAX_WEIGHT for weight in weights):
            exact = [Fraction(str(weight)) for weight in weights]
            scale = math.lcm(*(weight.denominator for weight in exact))
            integers = [int(weight * scale) for weight in exact]
            if sum(integers) <= MAX_WEIGHT:
                return integers
    raise ValueError("the weights have too many digits")
