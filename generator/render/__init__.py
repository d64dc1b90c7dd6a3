"""Renders a spec as Python source: models, operations, typed dicts, and the compact spec.

From outside use `project.build_surface`, `typed_dicts.typed_dicts` and `compact_spec.spec_json`.
"""
