"""The clients that users make, and the interface that generated resources are handed.

From outside: the four clients; `api` is for generated code.
"""
