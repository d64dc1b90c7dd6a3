"""Logic that is written once for sync and async: a flow yields steps, and a driver performs them.

From outside: the steps, the drivers, the threads and tasks of `background`, and `extras.require`.
"""
