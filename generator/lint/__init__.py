"""The rules for our specs. They reject what the code generators would silently drop or change.

From outside use `stages.lint`; the other modules hold its rules.
"""
