"""Everything between a request and the network: settings, connections, time-outs, retries, the rate limit.

From outside: the sessions, `RetryPolicy`, and the storage clients that a session makes for hosts without the key.
"""
