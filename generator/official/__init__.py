"""The vendor's own OpenAPI file: read as facts, matched and compared with our specs, adopted into them.

`diff` and `adopt` are commands; from outside use `document`, `operations`, `facts` and `match` for what any OpenAPI
file says, and `round_trip.save` for files that must never be half written.
"""
