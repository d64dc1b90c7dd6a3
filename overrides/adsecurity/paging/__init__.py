"""Lists, page after page: which page comes next, where an iteration stands, and how it is resumed.

From outside: the paginators and `page.Page`.
"""
