"""Everything between a request and the network: settings, connections, time-outs, retries, the rate limit.

From outside: the sessions, `RetryPolicy`, and the connections of a pool to storage hosts, which never see the key.
"""
