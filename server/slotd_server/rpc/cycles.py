"""Jobs of one batch that would wait for each other for ever: through their refs, and through groups that they are in.

Cycles that lead through what is in the store already, which is through a group of it, are for the lifecycle to find.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from slotd import v1

_SHOWN = 16
"""Of a longer path the middle is left out."""

Node: TypeAlias = int | str
"""A request, by its number in the batch, or a group, by its name."""


class Cycle(NamedTuple):
    """The field of the dependency with which it begins, and its path, as `a → b → a`."""

    field: str
    path: str


def find(requests: Sequence[v1.SubmitRequest]) -> Cycle | None:
    """A cycle among the requests of a batch, all of whose refs are known; None where there is none. Takes time in
    proportion to the dependencies."""
    refs = {one.ref: number for number, one in enumerate(requests) if one.ref}
    nodes = _search(_awaited(requests, refs))
    if nodes is None:
        return None
    # A group waits for requests alone, so that there is one in every cycle. Told from the first of them on, the cycle
    # is the same wherever the search came upon it.
    first = min(node for node in nodes if isinstance(node, int))
    start = nodes.index(first)
    nodes = [*nodes[start:], *nodes[:start], first]
    dependencies = requests[first].spec.depends_on
    number = next(number for number, one in enumerate(dependencies) if _target(one, refs) == nodes[1])
    kind = "ref" if dependencies[number].ref else "group"
    return Cycle(f"requests[{first}].spec.depends_on[{number}].{kind}", _path(nodes, requests))


def _target(dependency: v1.Dependency, refs: Mapping[str, int]) -> Node:
    """A job that is in the store already is the group without a name, which nobody is in."""
    return refs[dependency.ref] if dependency.ref else dependency.group


def _awaited(requests: Sequence[v1.SubmitRequest], refs: Mapping[str, int]) -> Mapping[Node, Sequence[Node]]:
    """What each node waits for: a request for others and for groups, a group for those of its requests that wait."""
    awaited: dict[Node, list[Node]] = {}
    for number, one in enumerate(requests):
        if one.spec.depends_on:
            awaited[number] = [_target(dependency, refs) for dependency in one.spec.depends_on]
            if one.spec.group:
                awaited.setdefault(one.spec.group, []).append(number)
    return awaited


def _search(awaited: Mapping[Node, Sequence[Node]]) -> list[Node] | None:
    """The nodes of a cycle, each before the one that it waits for. Depth first and without recursion: a chain may be as
    long as a batch."""
    done: set[Node] = set()
    for root in awaited:
        path: list[tuple[Node, Iterator[Node]]] = [] if root in done else [(root, iter(awaited[root]))]
        places = {root: 0}
        while path:
            node, rest = path[-1]
            following = next((one for one in rest if one in awaited and one not in done), None)
            if following is None:
                done.add(node)
                del places[node]
                path.pop()
            elif following in places:
                return [one for one, _ in path[places[following] :]]
            else:
                places[following] = len(path)
                path.append((following, iter(awaited[following])))
    return None


def _path(nodes: Sequence[Node], requests: Sequence[v1.SubmitRequest]) -> str:
    """Jobs by their refs, or by their place in the batch where they have none."""
    names = [f"groups/{node}" if isinstance(node, str) else requests[node].ref or f"requests[{node}]" for node in nodes]
    if len(names) > _SHOWN:
        half = _SHOWN // 2
        names[half:-half] = [f"({len(names) - 2 * half} more)"]
    return " → ".join(names)
