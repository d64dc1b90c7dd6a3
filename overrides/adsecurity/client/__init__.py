"""The clients that users create, and the API objects that generated resources call.

From outside: the four clients; `api` is for generated code.
"""
