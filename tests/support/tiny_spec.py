"""Specs of a few lines, written to a folder, generated from and imported."""

from __future__ import annotations

import copy
import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from generator.build import PACKAGE, generate
from generator.stamp import runtime_modules

Spec = dict[str, Any]

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_numbers = itertools.count()


def ref(name: str) -> Spec:
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties: Spec | None = None, **more: Any) -> Spec:
    return {"type": "object", **({"properties": properties} if properties is not None else {}), **more}


def answer(schema: Spec | None) -> Spec:
    body = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"200": {"description": "Done.", **body}}


def query(name: str, schema: Spec | None = None, **more: Any) -> Spec:
    return {"name": name, "in": "query", "schema": schema or {"type": "string"}, **more}


def path_id(name: str) -> Spec:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def body(schema: Spec) -> Spec:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def operation(op_id: str, sdk: str, kind: str, schema: Spec | None, **more: Any) -> Spec:
    resource, _, method = sdk.rpartition(".")
    return {
        "operationId": op_id,
        "summary": f"Call {op_id}",
        "description": "It does what it says.",
        "tags": ["Things"],
        "x-resource": resource,
        "x-method": method,
        "x-kind": kind,
        "x-evidence": "inferred",
        "security": [{"ApiKey": []}],
        "responses": answer(schema),
        **more,
    }


def tiny(paths: Spec, schemas: Spec, **more: Any) -> Spec:
    """A whole spec around some paths and schemas."""
    spec = {
        "openapi": "3.0.3",
        "info": {"title": "Tiny API", "version": "1"},
        "servers": [{"url": "https://tiny.example", "x-evidence": "documented"}],
        "x-surface": "tiny",
        "x-client-name": "Tiny",
        "x-env-prefix": "TINY",
        "tags": [{"name": "Things", "description": "What there is."}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"ApiKey": {"type": "apiKey", "in": "header", "name": "API-KEY"}},
        },
        **more,
    }
    return copy.deepcopy(spec)


def minimal() -> Spec:
    """A spec with one operation, without a fault."""
    return tiny(
        {
            "/things/{thingID}": {
                "get": operation("getThing", "things.get", "one", ref("Thing"), parameters=[path_id("thingID")])
            }
        },
        {"Thing": obj({"id": {"type": "string"}})},
    )


def write(spec: Spec, folder: Path, name: str = "tiny") -> Path:
    """Write a spec where the generator looks for it; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.dump(spec, Dumper=_Dumper, sort_keys=False), encoding="utf-8")
    return folder


class Package:
    """A generated package under a name of its own: nothing in it knows what it is called."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        generate(write(spec, folder / "specs"), folder / "out")
        self.name = f"generated_{next(_numbers)}"
        self.root = (folder / "out" / PACKAGE).rename(folder / "out" / self.name)
        # The originals are what is tested (and measured): their copies are the same bytes.
        for path in runtime_modules():
            (self.root / path.name).unlink()
            (self.root / path.name).symlink_to(path)
        sys.path.insert(0, str(folder / "out"))

    def load(self, module: str) -> ModuleType:
        return importlib.import_module(f"{self.name}.{module}")

    @property
    def models(self) -> Any:
        return self.load("tiny.models")

    @property
    def surface(self) -> Any:
        return self.load("tiny.surface").SURFACE

    def forget(self) -> None:
        """Undo what importing has done to the interpreter."""
        sys.path.remove(str(self.root.parent))
        for name in [name for name in sys.modules if name.split(".")[0] == self.name]:
            del sys.modules[name]
