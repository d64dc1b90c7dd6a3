"""What is generated for an operation: signature, result, docstring, as pieces of source."""

from __future__ import annotations

from ..spec.methods import LISTS, NUMBERED, PAGED, Argument, Method
from .source import request_type, wrapped


def argument_type(argument: Argument) -> str:
    """The type of a method's argument, without what stands for leaving it out."""
    param = argument.param
    if param.place == "path":
        return "str | int" if "integer" in param.kinds else "str"
    if param.style == "deep":
        return "Mapping[str, FilterValue]"
    if param.style == "comma":
        return "str | Sequence[str]"
    if param.time:
        return "dt.datetime | dt.date | str"
    return request_type(argument.kind, dicts=True)


def signature_part(argument: Argument) -> str:
    """An argument as it stands in a signature."""
    kind = argument_type(argument)
    if argument.needed:
        # A required body field may still be null: only the server knows better.
        return f"{argument.name}: {kind}"
    if argument.param.place == "query":
        return f"{argument.name}: {kind} | None = None"
    none = "" if kind == "Any" else " | None"
    return f"{argument.name}: {kind}{none} | Unset = UNSET"


_TIME = {
    "second": "A date means its 00:00:00; a datetime without a zone is wall clock in `timezone`, an aware one is "
    "converted to it; a text goes as it is (`2006-01-02 15:04:05`).",
    "day": "A date, or a text such as `2006-01-02`; days are the server's.",
}


def argument_doc(argument: Argument) -> str:
    """What a docstring says of an argument."""
    param = argument.param
    parts = [argument.doc or ("The id." if param.place == "path" else "")]
    if param.time:
        parts.append(_TIME[param.time])
    if param.style == "comma":
        parts.append("A list is sent comma-joined.")
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
    "page_size": "Items a page, at most 100.",
    "page_number": "Page to start at, counted from 1.",
    "after": "Cursor to start behind.",
    "before": "Cursor to read backwards from.",
    "resume": "A checkpoint to go on from; it must come from the same call.",
    "prefetch": "1 reads the next page while this one is consumed, 0 does not.",
    "concurrency": "Number of workers that share the range; the order of rows stays the same.",
    "timeout": "Seconds, or an `httpx.Timeout`, instead of the client's.",
    "retry": "Policy instead of the client's.",
    "extra_headers": "Headers added to those of the client.",
    "timezone": "IANA zone of the export's times, as given when it was started; unknown otherwise.",
}


def paging_keywords(method: Method, *, raw: bool) -> list[tuple[str, str]]:
    """Keywords of a list beside its own arguments, with their annotations and defaults."""
    found: list[tuple[str, str]] = []
    if method.kind in PAGED:
        found.append(("page_size", "int = 100"))
        if method.kind in NUMBERED:
            found.append(("page_number", "int | None = None"))
        else:
            found += [("after", "str | None = None"), ("before", "str | None = None")]
        found += [("resume", "str | None = None"), ("prefetch", "int = 1")]
        if method.range is not None and not raw:
            found.append(("concurrency", "int = 1"))
    return found


CALL_KEYWORDS = (
    ("timeout", "Timeout | None = None"),
    ("retry", "RetryPolicy | None = None"),
    ("extra_headers", "Mapping[str, str] | None = None"),
)


def result_type(method: Method, *, is_async: bool, raw: bool) -> str:
    """The annotation of what a method returns."""
    prefix = "Async" if is_async else ""
    item = method.model or "Any"
    if method.kind in LISTS:
        return f"{prefix}{'RawPaginator' if raw else 'Paginator'}[{item}]"
    if method.kind == "export":
        return f"RawResponse[{item}]" if raw else f"{prefix}ExportJob[{method.rows or 'Any'}]"
    plain = {"create": "str", "url": "str", "write": "None"}.get(method.kind, item)
    return f"RawResponse[{plain}]" if raw else plain


_RETURNS = {
    "create": "The id of the new object.",
    "write": "Nothing; a refused change raises.",
    "url": "A temporary address that needs no key.",
    "rows": "A paginator with a single page; iterate over it to get the rows.",
    "export": "A job: `wait()` for it, then `download()` its file.",
    "one": "What was asked for.",
}


def method_doc(method: Method, *, is_async: bool, raw: bool, indent: int = 8) -> str:
    """The whole docstring of a method, quotes included."""
    pad = " " * indent
    lines = [pad + '"""' + wrapped(method.summary or method.id, 0).rstrip(".") + ".", ""]
    if method.description:
        lines += [wrapped(method.description, indent), ""]
    if method.deprecated:
        lines += [wrapped(f"Deprecated: {method.deprecated}", indent), ""]
    lines.append(pad + "Args:")
    listed = [(argument.name, argument_doc(argument)) for argument in (*method.positional, *method.keywords)]
    listed += [(name, _PAGING_DOC[name]) for name, _ in (*paging_keywords(method, raw=raw), *CALL_KEYWORDS)]
    lines += [wrapped(doc, indent + 4, first=f"{name}: ", hanging=4) for name, doc in listed]
    lines += ["", pad + "Returns:"]
    each = "async for" if is_async else "for"
    default = f"A paginator; iterate over it with `{each}`, which fetches page after page."
    returns = _RETURNS.get(method.kind, default)
    if raw:
        returns = (
            "The answers as they came, a page each."
            if method.kind in LISTS
            else "The answer as it came; `parse()` reads it."
        )
    lines.append(wrapped(returns, indent + 4))
    lines += ["", pad + "Raises:"]
    checks = "an argument is missing, empty, or of the wrong kind; nothing was sent."
    lines.append(wrapped(checks, indent + 4, first="TypeError, ValueError: ", hanging=4))
    lines.append(
        wrapped("the server refused, with the class of the status.", indent + 4, first="APIStatusError: ", hanging=4)
    )
    lines.append(wrapped("no answer came, in all attempts.", indent + 4, first="APIConnectionError: ", hanging=4))
    lines += ["", pad + f"Source: `{method.http_method} {method.path}` ({method.id}, {method.evidence}).", pad + '"""']
    return "\n".join(lines)
