"""The printed comparison: counts, routes, questions, then each difference once with the operations that show it."""

from __future__ import annotations

from .compare import Comparison
from .hosts import named_host, why_not_default
from .references import as_list, as_map


def report(comparison: Comparison) -> str:
    ours, theirs = comparison.ours, comparison.theirs
    lines = [
        f"{ours.source} ({ours.title}) against {theirs.source} ({theirs.title}, {len(theirs.operations)} operations)",
        f"{len(comparison.matches)} of our {len(ours.operations)} operations found, "
        f"{len(comparison.only_theirs)} only theirs, {len(comparison.only_ours)} only ours",
    ]
    head = len(lines)
    if comparison.foreign:
        lines.append("fewer than half of theirs are ours: perhaps the description of another API")
        head += 1
    moved = [pair for pair in comparison.sure if pair.ours.shape != pair.theirs.shape]
    lines += _section("routes that differ", [f"{p.ours.name}: {p.ours.route} -> {p.theirs.route}" for p in moved])
    lines += _section(
        "not clear (answer with ACCEPT= when you adopt)",
        [
            f"{pair.ours.name} ({pair.ours.id}): {' or '.join((pair.theirs.route, *pair.rivals))}?"
            for pair in comparison.questions
        ],
    )
    odd = [pair for pair in comparison.matches if pair.theirs.oddity]
    lines += _section("routes that no client of ours can call", [f"{p.theirs.route}: {p.theirs.oddity}" for p in odd])
    contradictions: dict[str, list[str]] = {}
    more: dict[str, list[str]] = {}
    less: dict[str, list[str]] = {}
    for pair in comparison.matches:
        for renaming in comparison.renamings[pair.ours.id]:
            contradictions.setdefault(str(renaming), []).append(pair.ours.name)
        for one in comparison.differences[pair.ours.id]:
            rows = more if one.ours is None else less if one.theirs is None else contradictions
            rows.setdefault(str(one), []).append(pair.ours.name)
    for title, rows in (
        ("facts that differ", contradictions),
        ("facts only theirs", more),
        ("facts only ours", less),
    ):
        lines += _section(title, [f"{text}  [{', '.join(names)}]" for text, names in rows.items()])
    lines += _section("only theirs", [f"{one.route}  {one.id}".rstrip() for one in comparison.only_theirs])
    lines += _section("only ours", [f"{one.name}: {one.route}" for one in comparison.only_ours])
    host, servers = named_host(theirs), as_list(ours.root.get("servers"))
    if host and servers and as_map(servers[0]).get("url") != host:
        why = why_not_default(host)
        told = (
            f"{host} is not taken as the default address: {why}"
            if why
            else f"{as_map(servers[0]).get('url')} -> {host}"
        )
        lines += _section("host", [told])
    if len(lines) == head:
        lines.append("no difference")
    return "\n".join(lines)


def _section(title: str, rows: list[str]) -> list[str]:
    return ["", f"{title} ({len(rows)}):", *(f"  {row}" for row in rows)] if rows else []
