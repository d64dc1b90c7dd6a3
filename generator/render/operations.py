"""The generated method of an operation: signature, result and docstring as pieces of source."""

from __future__ import annotations

from ..spec.lookup import Kind
from ..spec.methods import LISTS, NUMBERED, PAGED, Argument, Method, Modify, Resource
from .source import model_imports, request_type, wrapped


def argument_type(argument: Argument) -> str:
    """The annotation of a method's argument, without the type of its default."""
    param = argument.param
    if param.place == "path":
        return "str | int" if "integer" in param.kinds else "str"
    if param.style == "deep":
        return "Mapping[str, FilterValue]"
    if param.style == "comma":
        return "str | Sequence[str]"
    if param.non_empty and argument.kind.items is not None:
        return f"Iterable[{request_type(argument.kind.items, dicts=True)}]"
    if param.time:
        return "dt.datetime | dt.date | str"
    return request_type(argument.kind, dicts=True)


def signature_part(argument: Argument) -> str:
    """An argument in a signature: name, annotation, default."""
    kind = argument_type(argument)
    if argument.needed:
        return f"{argument.name}: {kind}"
    if argument.param.place == "query":
        return f"{argument.name}: {kind} | None = None"
    none = "" if kind == "Any" else " | None"
    return f"{argument.name}: {kind}{none} | Unset = UNSET"


_TIME = {
    "second": "A date means its 00:00:00; a datetime without a time zone is wall clock in `timezone`, an aware one is "
    "converted to it; a string is sent as `2006-01-02 15:04:05`.",
    "day": "A date, or a string such as `2006-01-02`; a day in the server's time zone.",
}


def _values(kind: Kind) -> str:
    """The values of an argument, or of the items of one; empty where it takes any."""
    if kind.items is not None:
        return _values(kind.items)
    values = kind.values or kind.known_values
    lead = "Known values" if kind.values else "Among its values"
    return f"{lead}: {', '.join(f'`{value}`' for value in values)}." if values else ""


def argument_doc(argument: Argument) -> str:
    """The description of an argument in a docstring."""
    param = argument.param
    parts = [argument.doc or ("The id." if param.place == "path" else "")]
    if listed := _values(argument.kind):
        parts.append(listed)
    if param.time:
        parts.append(_TIME[param.time])
    if param.style == "comma":
        parts.append("A list is sent joined by commas.")
    if param.from_path:
        parts.append(f"Taken from `{param.from_path}` when left out.")
    if argument.default is not None and not argument.needed:
        parts.append(f"The server's default is `{argument.default}`.")
    if argument.param.secret:
        parts.append("Never shown in logs or errors.")
    if param.deprecated:
        parts.append(f"Deprecated: {param.deprecated}")
    text = " ".join(part if part.endswith((".", "!", "?", ":", "`.")) else part + "." for part in parts if part)
    return text or f"`{argument_type(argument)}`."


_PAGING_DOC = {
    "page_size": "Items per page, at most 100.",
    "page_number": "Page to start at, counted from 1.",
    "after": "Cursor after which to start.",
    "before": "Cursor to read backwards from.",
    "resume": "A checkpoint to go on from, of a call with the same arguments; page_size, prefetch and concurrency may "
    "differ.",
    "prefetch": "1 fetches the next page while the current one is consumed, 0 does not.",
    "concurrency": "Number of workers that share the time range; the order of rows stays the same.",
    "inclusive": "`both` is what the server does with the ends of the range. `left` gives the rows with start <= t < "
    "end by their own time, so that consecutive ranges share no row and miss none: a little more is asked for at both "
    "ends (seconds: one; days: two before and one after) and left out here. Both ends must be given, in whole seconds; "
    "a day is one of UTC. A row without a readable time goes with the row before it; one from outside of what was "
    "asked for raises `PaginationError`.",
    "since": "What earlier runs have read: only rows that came after that are given, in a range like that of "
    "`inclusive='left'`. `start` counts for the first run alone. Saved when you have stored the rows: see `State`.",
    "limit": "Most items that an iteration gives.",
    "on_page": "Called with a `PageEvent` for each page, beside the client's hook; an async client awaits what it "
    "returns.",
    "batch_size": "Most objects in one request.",
    "on_error": "`raise` stops at the first batch that fails, `continue` tries the others first.",
    "timeout": "Seconds, or an `httpx.Timeout`; replaces the client's.",
    "retry": "Retry policy; replaces the client's.",
    "extra_headers": "Headers in addition to those of the client.",
    "extra_query": "Query parameters that the method does not know, by their names on the wire; they win over its own.",
    "extra_body": "Body fields that the method does not know, laid over its own at every depth.",
}


def paging_keywords(method: Method) -> list[tuple[str, str]]:
    """Keywords of a list or a bulk write beside its own arguments, with their annotations and defaults."""
    found: list[tuple[str, str]] = []
    if method.kind in PAGED:
        found.append(("page_size", "int = 100"))
        if method.kind in NUMBERED:
            found.append(("page_number", "int | None = None"))
        else:
            found += [("after", "str | None = None"), ("before", "str | None = None")]
        found += [("resume", "str | None = None"), ("prefetch", "int = 1")]
        if method.range is not None:
            found += [("concurrency", "int = 1"), ("inclusive", 'Literal["both", "left"] = "both"')]
            found.append(("since", "State | None = None"))
    if method.kind in LISTS:
        found += [("limit", "int | None = None"), ("on_page", "OnPage | None = None")]
    if method.bulk:
        found += [("batch_size", "int = 500"), ("on_error", 'Literal["raise", "continue"] = "raise"')]
    return found


_CALL_KEYWORDS = [
    ("timeout", "Timeout | None = None"),
    ("retry", "RetryPolicy | None = None"),
    ("extra_headers", "Mapping[str, str] | None = None"),
    ("extra_query", "Mapping[str, QueryValue] | None = None"),
]


def call_keywords(method: Method) -> list[tuple[str, str]]:
    """Keywords that change how one call is made, with their annotations and defaults."""
    # A GET has no body that a server would read.
    body = [] if method.http_method == "GET" else [("extra_body", "Mapping[str, Any] | None = None")]
    return _CALL_KEYWORDS + body


def result_type(method: Method, *, is_async: bool) -> str:
    """The annotation of what a method returns."""
    prefix = "Async" if is_async else ""
    item = method.model or "Any"
    if method.kind in LISTS:
        return f"{prefix}Paginator[{item}]"
    if method.kind == "export":
        return f"{prefix}ExportJob[{method.rows or 'Any'}]"
    return {"create": "str", "url": "str", "write": "None"}.get(method.kind, item)


def api_method(method: Method) -> str:
    """The method of the client's API object that a generated method calls."""
    if method.kind in LISTS:
        return "paginate"
    if method.bulk:
        return "bulk"
    return "start_export" if method.kind == "export" else method.kind


def _raw_function(method: Method, *, is_async: bool) -> str:
    """The function of the runtime that types the raw version of a method."""
    name = "raw_pages" if method.kind in LISTS else "raw_export" if method.kind == "export" else "raw_response"
    return f"async_{name}" if is_async else name


def raw_functions(resource: Resource, *, is_async: bool) -> list[str]:
    """Names of the functions that a resource's raw class imports."""
    return sorted({_raw_function(method, is_async=is_async) for method in resource.methods})


def raw_imports(resource: Resource) -> list[str]:
    """Lines that import the models of exports: only these have to be named beside the method."""
    models = {method.model for method in resource.methods if method.kind == "export"} - {""}
    return model_imports(models, "..models.")


def raw_code(method: Method, *, is_async: bool) -> str:
    """The expression for the raw version of a method."""
    model = f", {method.model or 'object'}" if method.kind == "export" else ""
    return f"{_raw_function(method, is_async=is_async)}(resource.{method.name}{model})"


_RETURNS = {
    "create": "The id of the new object.",
    "write": "Nothing; a rejected change raises.",
    "url": "A temporary address that needs no key.",
    "rows": "A paginator with a single page; iterate over it to get the rows.",
    "export": "A job: `wait()` for it, then `download()` its file.",
    "one": "The requested object.",
}


def modify_doc(modify: Modify, indent: int = 8) -> str:
    """The whole docstring of a method that reads, changes and writes, quotes included."""
    pad = " " * indent
    update = modify.update
    lead = (
        "Reads the object, lays the changes over it and sends what the update takes in full. Nested objects are "
        "merged, lists are replaced, None is sent as null; fields that only answers have and secrets are left out. "
        "What somebody else writes in between is overwritten."
    )
    lines = [pad + '"""Change fields of an object and leave the others as they are.', "", wrapped(lead, indent), ""]
    lines.append(pad + "Args:")
    listed = [(argument.name, argument_doc(argument)) for argument in (*update.positional, *modify.keywords)]
    listed += [(name, _PAGING_DOC[name]) for name, _ in call_keywords(update)]
    lines += [wrapped(doc, indent + 4, first=f"{name}: ", hanging=4) for name, doc in listed]
    lines += ["", pad + "Returns:", wrapped(_RETURNS["write"], indent + 4), "", pad + "Raises:"]
    checks = "an argument is empty or of the wrong type; nothing was sent."
    lines.append(wrapped(checks, indent + 4, first="TypeError, ValueError: ", hanging=4))
    lines += [wrapped(text, indent + 4, first=f"{name}: ", hanging=4) for name, text in _raises(update)]
    sources = [
        f"`{method.http_method} {method.path}` ({method.id}, {method.evidence})" for method in (modify.read, update)
    ]
    lines += ["", wrapped(f"Source: {', then '.join(sources)}.", indent), pad + '"""']
    return "\n".join(lines)


def _raises(method: Method) -> list[tuple[str, str]]:
    """The errors of a call that was sent."""
    if method.bulk:
        return [
            ("BulkError", "a batch failed; it tells which objects are done, which failed and why, and what remains.")
        ]
    return [
        ("APIStatusError", "the server returned an error status; each status has its own subclass."),
        ("APIConnectionError", "no response was received in any attempt."),
    ]


def method_doc(method: Method, *, is_async: bool, indent: int = 8) -> str:
    """The whole docstring of a method, quotes included."""
    pad = " " * indent
    lines = [pad + '"""' + wrapped(method.summary or method.id, 0).rstrip(".") + ".", ""]
    if method.description:
        lines += [wrapped(method.description, indent), ""]
    if method.deprecated:
        lines += [wrapped(f"Deprecated: {method.deprecated}", indent), ""]
    lines.append(pad + "Args:")
    listed = [(argument.name, argument_doc(argument)) for argument in (*method.positional, *method.keywords)]
    listed += [(name, _PAGING_DOC[name]) for name, _ in (*paging_keywords(method), *call_keywords(method))]
    lines += [wrapped(doc, indent + 4, first=f"{name}: ", hanging=4) for name, doc in listed]
    lines += ["", pad + "Returns:"]
    each = "async for" if is_async else "for"
    default = f"A paginator; iterate over it with `{each}`, which fetches the pages one after the other."
    lines.append(wrapped(_RETURNS.get(method.kind, default), indent + 4))
    lines += ["", pad + "Raises:"]
    checks = "an argument is missing, empty, or of the wrong type; nothing was sent."
    lines.append(wrapped(checks, indent + 4, first="TypeError, ValueError: ", hanging=4))
    lines += [wrapped(text, indent + 4, first=f"{name}: ", hanging=4) for name, text in _raises(method)]
    lines += ["", pad + f"Source: `{method.http_method} {method.path}` ({method.id}, {method.evidence}).", pad + '"""']
    return "\n".join(lines)
