"""The methods of clients for what the API has and no generated method describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..codec.raw import RawResponse
    from ..events import OnPage
    from ..http.config import Timeout
    from ..http.retry import RetryPolicy
    from ..paging.paginator import AsyncPaginator, Paginator
    from .api import AsyncAPI, SyncAPI
    from .request import Paging


class CustomCalls:
    """Calls by method and path."""

    _api: SyncAPI

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        """Send a request that no method describes, to the same host with the same key, retries, errors and events.

        Args:
            method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`. GET and HEAD are retried as reads.
            path: Begins with `/` and is put behind the client's `base_url` as it is.
            query: Parameters; a list repeats its name, a mapping is written with brackets: `filter[status]`.
            json: The body, anything that JSON can hold; None sends none.
            timeout: Seconds, or an `httpx.Timeout`; replaces the client's.
            retry: Retry policy; replaces the client's.
            extra_headers: Headers in addition to those of the client.

        Returns:
            The response; its `parse()` reads the JSON.

        Raises:
            TypeError, ValueError: an argument cannot be sent, or leads to another host; nothing was sent.
            APIStatusError: the server returned an error status; each status has its own subclass.
            APIConnectionError: no response was received in any attempt.
        """
        return self._api.request(method, path, query, json, timeout=timeout, retry=retry, extra_headers=extra_headers)

    def paginate(
        self,
        path: str,
        kind: Paging = "pages",
        *,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        page_size: int = 100,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: str | None = None,
        prefetch: int = 1,
        limit: int | None = None,
        on_page: OnPage | None = None,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> Paginator[dict[str, Any]]:
        """List what no method describes, as dicts.

        Args:
            path: Begins with `/` and is put behind the client's `base_url` as it is.
            kind: How the list is paged. `pages`: by `page[number]` in the query. `cursor`: by `page[after]`.
                `report-pages`: by `page_number` in the body as well. Names in the query are those of other lists.
            query: Parameters; a list repeats its name, a mapping is written with brackets: `filter[status]`.
            json: The body. With one, and for `report-pages`, the list is asked for by POST, otherwise by GET.
            page_size: Items per page, at most 100.
            page_number: Page to start at, counted from 1; for numbered pages.
            after: Cursor after which to start; for cursors.
            before: Cursor to read backwards from; for cursors.
            resume: A checkpoint to go on from, of a call with the same arguments.
            prefetch: 1 fetches the next page while the current one is consumed, 0 does not.
            limit: Most items that an iteration gives.
            on_page: Called with a `PageEvent` for each page, beside the client's hook.
            timeout: Seconds, or an `httpx.Timeout`; replaces the client's.
            retry: Retry policy; replaces the client's.
            extra_headers: Headers in addition to those of the client.

        Returns:
            A paginator; nothing is sent before it is iterated over.

        Raises:
            TypeError, ValueError: an argument cannot be sent, or leads to another host; nothing was sent.
        """
        return self._api.paginate_path(
            path,
            kind,
            query,
            json,
            page_size=page_size,
            page_number=page_number,
            after=after,
            before=before,
            resume=resume,
            prefetch=prefetch,
            limit=limit,
            on_page=on_page,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
        )


class AsyncCustomCalls:
    """As `CustomCalls`, awaited."""

    _api: AsyncAPI

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: Timeout | None = None,  # noqa: ASYNC109
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> RawResponse[Any]:
        """Send a request that no method describes, to the same host with the same key, retries, errors and events.

        Args:
            method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`. GET and HEAD are retried as reads.
            path: Begins with `/` and is put behind the client's `base_url` as it is.
            query: Parameters; a list repeats its name, a mapping is written with brackets: `filter[status]`.
            json: The body, anything that JSON can hold; None sends none.
            timeout: Seconds, or an `httpx.Timeout`; replaces the client's.
            retry: Retry policy; replaces the client's.
            extra_headers: Headers in addition to those of the client.

        Returns:
            The response; its `parse()` reads the JSON.

        Raises:
            TypeError, ValueError: an argument cannot be sent, or leads to another host; nothing was sent.
            APIStatusError: the server returned an error status; each status has its own subclass.
            APIConnectionError: no response was received in any attempt.
        """
        return await self._api.request(
            method, path, query, json, timeout=timeout, retry=retry, extra_headers=extra_headers
        )

    def paginate(
        self,
        path: str,
        kind: Paging = "pages",
        *,
        query: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
        page_size: int = 100,
        page_number: int | None = None,
        after: str | None = None,
        before: str | None = None,
        resume: str | None = None,
        prefetch: int = 1,
        limit: int | None = None,
        on_page: OnPage | None = None,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> AsyncPaginator[dict[str, Any]]:
        """List what no method describes, as dicts.

        Args:
            path: Begins with `/` and is put behind the client's `base_url` as it is.
            kind: How the list is paged. `pages`: by `page[number]` in the query. `cursor`: by `page[after]`.
                `report-pages`: by `page_number` in the body as well. Names in the query are those of other lists.
            query: Parameters; a list repeats its name, a mapping is written with brackets: `filter[status]`.
            json: The body. With one, and for `report-pages`, the list is asked for by POST, otherwise by GET.
            page_size: Items per page, at most 100.
            page_number: Page to start at, counted from 1; for numbered pages.
            after: Cursor after which to start; for cursors.
            before: Cursor to read backwards from; for cursors.
            resume: A checkpoint to go on from, of a call with the same arguments.
            prefetch: 1 fetches the next page while the current one is consumed, 0 does not.
            limit: Most items that an iteration gives.
            on_page: Called with a `PageEvent` for each page, beside the client's hook.
            timeout: Seconds, or an `httpx.Timeout`; replaces the client's.
            retry: Retry policy; replaces the client's.
            extra_headers: Headers in addition to those of the client.

        Returns:
            A paginator; nothing is sent before it is iterated over.

        Raises:
            TypeError, ValueError: an argument cannot be sent, or leads to another host; nothing was sent.
        """
        return self._api.paginate_path(
            path,
            kind,
            query,
            json,
            page_size=page_size,
            page_number=page_number,
            after=after,
            before=before,
            resume=resume,
            prefetch=prefetch,
            limit=limit,
            on_page=on_page,
            timeout=timeout,
            retry=retry,
            extra_headers=extra_headers,
        )
