"""Encodes arguments into requests, decodes responses into models, pages and errors. Nothing here does I/O.

From outside: `request.prepare`, `response.decode`, `response.decode_page`, `page.DecodedPage`, `raw.RawResponse`,
the error constructors of `failure`, and the functions of `secrets` and `times` for single values.
"""
