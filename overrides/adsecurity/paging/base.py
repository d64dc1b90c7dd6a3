"""What all paginators have: the arguments of one list call, and where its pages come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

import attrs

from adsecurity_generated._operation import Operation
from adsecurity_generated._resource import card

from ..codec.raw import RawResponse
from ..display.progress import Bar
from ..errors import PaginationError
from ..flow.steps import Call
from .checkpoint import MAX_PAGE, CheckpointHeader, Position, convert_position
from .half_open import INCLUSIVE, HalfOpenRange
from .page import Page
from .sources import AsyncPageSource, AsyncSource, Decode, IterationState, PageSource, Source
from .state import PagingState, check_iteration, check_start

if TYPE_CHECKING:
    import httpx

    from ..codec.page import DecodedPage
    from ..codec.request import PreparedRequest
    from ..events import OnPage
    from ..flow.steps import Flow, Step
    from ..http.config import Timeout
    from ..http.retry import RetryPolicy
    from ..http.session import AsyncSession, Session, SyncSession
    from ..state import State
    from .incremental import Incremental, Tracker
    from .parts.plan import Part, PartsPlan
    from .windows.run import WindowedRead

T = TypeVar("T")


class BasePaginator(Generic[T]):
    """What all paginators have: the arguments of one list call, checked before anything is sent."""

    _raw = False
    _read_by = ""
    """How a caller reads it, for those who look at it in a notebook."""
    _session: Any

    def __init__(
        self,
        session: Session[Any],
        op: Operation[T],
        args: Mapping[str, Any],
        *,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        page_size: int = MAX_PAGE,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: str | None = None,
        prefetch: int = 1,
        concurrency: int = 1,
        inclusive: str = "both",
        since: State | None = None,
        limit: int | None = None,
        on_page: OnPage | None = None,
    ) -> None:
        check_iteration(limit, on_page)
        if prefetch not in (0, 1):
            raise ValueError(f"prefetch is 1 (read the next page ahead) or 0 (do not), not {prefetch!r}")
        if inclusive not in INCLUSIVE:
            raise ValueError(f"inclusive is {' or '.join(map(repr, INCLUSIVE))}, not {inclusive!r}")
        check_start(page_size=page_size, page_number=page_number, after=after, before=before)
        self._session, self._args = session, args
        self._extra = {"extra_query": extra_query, "extra_body": extra_body}
        self._call: dict[str, Any] = {"timeout": timeout, "retry": retry, "extra_headers": extra_headers}
        self._prefetch = int(prefetch)
        self._limit, self._on_page = limit, on_page
        self._start: dict[str, Any] = {"page_number": page_number, "after": after, "before": before}
        self._prepared = prepared = session.prepare(op, args, extra_query=extra_query, extra_body=extra_body)
        self._since: Incremental | None = None
        if since is not None:
            from .incremental import Incremental

            self._since = Incremental(since, prepared, self._start)
            self._prepared = prepared = self._since.request
            inclusive = "left"
        self._header = CheckpointHeader.of(
            prepared,
            page_size=page_size,
            backwards=bool(before),
            inclusive=inclusive,
            since=None if self._since is None else self._since.digest,
        )
        self._resume, self._resumed_at = None if resume is None else self._header.read(resume), resume
        # What several workers have begun, one worker goes on with in the same way.
        self._windowed = concurrency != 1 or (self._resume is not None and self._resume.concurrent)
        self._workers = concurrency
        if self._windowed:
            from .windows.run import check

            check(prepared, concurrency, self._start, raw=self._raw)
        self._half_open: HalfOpenRange | None = None
        if inclusive == "left":
            self._half_open = HalfOpenRange(prepared, args, raw=self._raw, exact=since is None)
            self._prepared = self._half_open.request
        self._iteration = self._begin()
        self._tracker = self._new_tracker()
        if since is not None and self._since is not None:
            since.attach(prepared.op.resource, self._since.loaded, self._state_to_save)

    def _begin(self) -> IterationState[T]:
        """The state of an iteration that has returned nothing yet."""
        if self._since is not None and self._resumed_at is not None:
            return IterationState(self._resumed_at)
        if self._windowed:
            return IterationState(self._new_read().start)
        return IterationState(self._header.write_position(self._new_state().start))

    def _new_state(self) -> PagingState[T]:
        """One pass by one reader."""
        position = None
        if (resume := self._resume) is not None:
            size, backwards = self._header.page_size, bool(self._start["before"])
            position = convert_position(Position.of(resume.at), resume, page_size=size, backwards=backwards)
        return PagingState(
            self._prepared,
            self._header,
            **self._start,
            resume=position,
            half_open=self._half_open,
            keep_response=self._raw,
        )

    def _new_read(self) -> WindowedRead[T]:
        """One pass by several workers."""
        from .windows.run import WindowedRead

        return WindowedRead(
            self._prepared, self._header, workers=self._workers, resume=self._resume, half_open=self._half_open
        )

    def _new_tracker(self) -> Tracker | None:
        """For one pass over a call with `since=`."""
        if self._since is None:
            return None
        from .incremental import Tracker

        try:
            return Tracker(self._since, None if self._resume is None else self._resume.since)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("resume: the checkpoint has been changed; pass the text that checkpoint() gave") from error

    def _state_to_save(self) -> str:
        if self._tracker is None or not self._iteration.ended:
            name = self._prepared.op.resource
            raise PaginationError(
                f"{name}: the list was not read to its end (a limit, a break, an error), so nothing was saved: the next"
                " run gives its rows again",
                operation=name,
                checkpoint=self.checkpoint(),
            )
        return self._tracker.text()

    def _set_up(self, source: Source[T] | AsyncSource[T]) -> None:
        self._tracker = tracker = self._new_tracker()
        start = self._resumed_at if tracker is not None else None
        source.set_up(
            call_id=self._prepared.call_id, on_page=self._on_page, limit=self._limit, tracker=tracker, start=start
        )
        self._iteration = source.iteration

    def _plan_spans(self, count: int) -> Flow[PreparedRequest, list[dict[str, str]]]:
        from .windows.spans import plan_spans

        if self._half_open is None or self._since is not None:
            name = self._prepared.op.resource
            raise ValueError(
                f"{name}(): spans are half-open, and read so: make the call with inclusive='left', and without since="
            )
        return plan_spans(self._half_open.times, self._header, count)

    def _plan_parts(
        self, path: str | os.PathLike[str], partition_by: str | None, processes: int, *, progress: bool
    ) -> PartsPlan | None:
        """The files to be written; None where all goes into one."""
        if partition_by is None and processes == 1:
            return None
        from ..flow.extras import require
        from .parts.plan import PartsPlan

        require("pyarrow", extra="parquet")
        name = self._prepared.op.resource
        if self._half_open is None or self._since is not None:
            raise ValueError(
                f"{name}(): files of days and of several processes hold half-open spans: make the call with"
                " inclusive='left', and without since="
            )
        if self._limit is not None or self._resume is not None:
            raise ValueError(f"{name}(): limit= and resume= cannot be divided among several files")
        if progress:
            raise ValueError(f"{name}(): progress= shows how far one file is, and there are to be several")
        plan = PartsPlan(path, self._half_open.times, self._header, partition_by=partition_by, processes=processes)
        if processes > 1:
            # What cannot be sent to them is named before anything is sent to the API.
            self._work_for_processes()
        return plan

    def _part_options(self) -> dict[str, Any]:
        """What a call for one part is made with, beside its arguments."""
        own = {"page_size": self._header.page_size, "prefetch": self._prefetch, "concurrency": self._workers}
        return {**self._call, **self._extra, **own, "inclusive": "left"}

    def _writing_parts(
        self, plan: PartsPlan, processes: int, cut: Callable[[int], object], write: Callable[[Part], object]
    ) -> Flow[Step, Path]:
        """Write what is not finished. `cut` gives so many spans of the range, and `write` writes one part."""
        if plan.parts is None:
            spans = (yield Call(partial(cut, plan.spans_wanted))) if plan.spans_wanted else ()
            plan.make(cast("Sequence[Mapping[str, str]]", spans))
        if processes > 1:
            from .parts.processes import Processes

            name = self._prepared.op.resource
            try:
                yield from Processes(self._work_for_processes(), plan.unfinished(), processes, name).writing()
            finally:
                plan.clear()
        else:
            for part in plan.unfinished():
                with part.named_in_errors():
                    yield Call(partial(write, part))
        return plan.folder

    def _work_for_processes(self) -> bytes:
        from .parts.processes import pickled_work

        return pickled_work(
            self._session, self._prepared.op.id, self._args, self._part_options(), on_page=self._on_page
        )

    @contextmanager
    def _all_or_nothing(self) -> Generator[None]:
        """A pass that breaks off gives nothing, so its checkpoint is the one that it began with."""
        iteration = self._iteration = self._begin()
        try:
            yield
        except BaseException as error:
            # An error about the first page knows better where to go on.
            if (hasattr(error, "checkpoint") and self._iteration.pages) or getattr(error, "checkpoint", "") is None:
                vars(error)["checkpoint"] = iteration.checkpoint()
            self._iteration = iteration
            raise

    @contextmanager
    def _showing(self, path: str | os.PathLike[str], progress: bool) -> Generator[Callable[[int, Any], None]]:
        """A bar that counts rows; what is given is called with how many there are, and with the page they end with."""

        def tell(rows: int, page: Page[Any] | None) -> None:
            bar.at(rows, None if page is None else self._expected(page))

        with Bar(os.path.basename(os.fspath(path)), wanted=progress) as bar:
            yield tell

    def _expected(self, page: Page[Any]) -> int | None:
        """How many items this iteration will give, where that is known."""
        if self._windowed or self._half_open is not None or self._resume is not None:
            return None
        counts = [count for count in (page.total_count, self._limit) if count]
        return min(counts, default=None)

    def _decode_raw(self, request: PreparedRequest, response: httpx.Response) -> DecodedPage[Any]:
        """Pages for tables: their rows stay JSON."""
        from ..tables.raw_pages import decode_raw_page

        return decode_raw_page(self._session.call(request), response)

    def _count_request(self) -> PreparedRequest:
        """The smallest page, which tells the total."""
        if self._half_open is not None:
            raise ValueError(f"{self!r}: the server counts other rows than inclusive='left' gives")
        return PagingState(self._prepared, attrs.evolve(self._header, page_size=1)).request()

    def _total(self, request: PreparedRequest, response: httpx.Response) -> int:
        total = self._session.decode_page(request, response).total_count
        if total is None:
            raise ValueError(f"{self!r}: the server gives no total; count the items of an iteration")
        return int(total)

    @property
    def _model(self) -> Any:
        if (model := self._prepared.op.model) is None:
            raise TypeError(f"{self!r} gives dicts, whose types are not known: make a table of its to_list()")
        return model

    def checkpoint(self) -> str:
        """The position behind the last item that the last iteration returned; pass it as `resume=`."""
        return self._iteration.checkpoint()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._prepared.op.resource})"

    def _repr_html_(self) -> str:
        op = self._prepared.op
        size = {"page size": str(self._header.page_size), **({"limit": str(self._limit)} if self._limit else {})}
        facts = {"lists": op.resource, "by": f"{op.method} {op.path}", **size, "read it by": self._read_by}
        return card(type(self).__name__, "Nothing is sent before it is read.", facts)

    def __reduce__(self) -> NoReturn:
        name = self._prepared.op.resource
        raise TypeError(
            f"{self!r} holds connections and a key, do not pickle it: pass the arguments of {name}() and checkpoint(),"
            f" and call {name}(…, resume=checkpoint) with a client made there"
        )


def same_page(page: Page[T]) -> Page[T]:
    return page


def raw_response(page: Page[T]) -> RawResponse[Page[T]]:
    came = page.response
    assert came is not None
    response = came.response
    return RawResponse(response.status_code, response.headers, response.content, came.elapsed, lambda: page)


class BaseSyncPaginator(BasePaginator[T]):
    _read_by = "for answer in ...: its status_code, content, parse()"
    _session: SyncSession

    def _source(self, decode: Decode | None = None) -> Source[T]:
        source: Source[T]
        if not self._windowed:
            source = PageSource(self._session, self._new_state(), self._call, self._prefetch, decode)
        else:
            from .windows.workers import WindowSource

            source = WindowSource(self._session, self._new_read(), self._call, self._workers, decode)
        self._set_up(source)
        return source


class BaseAsyncPaginator(BasePaginator[T]):
    _read_by = "async for answer in ...: its status_code, content, parse()"
    _session: AsyncSession

    def _source(self, decode: Decode | None = None) -> AsyncSource[T]:
        source: AsyncSource[T]
        if not self._windowed:
            source = AsyncPageSource(self._session, self._new_state(), self._call, self._prefetch, decode)
        else:
            from .windows.workers import AsyncWindowSource

            source = AsyncWindowSource(self._session, self._new_read(), self._call, self._workers, decode)
        self._set_up(source)
        return source

    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise TypeError(f"{self!r} is asynchronous: use `async for`, or `await` its to_list()")
