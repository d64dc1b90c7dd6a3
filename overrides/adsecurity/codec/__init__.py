"""Arguments to requests, and answers to models, pages and errors. Nothing here does I/O.

From outside: `request.prepare`, `response.decode`, `response.decode_page`, `page.DecodedPage`, `raw.RawResponse`,
the errors that `failure` makes, and what `secrets` and `times` do with single values.
"""
