"""Uses openapi-python-client as a library: it parses the spec and renders models and descriptors with our templates."""

from __future__ import annotations

import contextlib
import copy
import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import attrs
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from ..spec.lookup import Spec, as_list, as_map
from ..spec.methods import LISTS, Describer, Method, Resource
from ..spec.naming import class_name, module_of, python_name
from ..spec.source import Json
from . import operations, source
from .models import ModelShape, model_shape

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"


class GenerationError(Exception):
    """A tool has dropped or rejected something; nothing has been written."""


@attrs.frozen
class Namespace:
    """A group of resources that share one path id."""

    name: str
    bind: str

    @property
    def class_name(self) -> str:
        return class_name(self.name)


@attrs.frozen
class Group:
    """A class that holds resources: that of a surface, or a namespace."""

    class_name: str
    doc: str
    bind: str
    resources: tuple[Resource, ...]
    spaces: tuple[Namespace, ...]


@attrs.frozen
class SurfaceFacts:
    """What the root of a spec says about its surface."""

    client_name: str
    env_prefix: str
    default_base_url: str | None
    likely_base_url: str
    default_headers: dict[str, str]
    export_status: str
    export_signed_url: str
    paging: tuple[tuple[str, str], ...]


def surface_facts(spec: Spec, methods: list[Method]) -> SurfaceFacts:
    """Collect what the client needs to know about the whole surface."""
    server = as_map(as_list(spec.tree.get("servers"))[0])
    url = str(server["url"])
    roles = {method.export_role: method.id for method in methods if method.export_role}
    return SurfaceFacts(
        client_name=str(spec.tree["x-client-name"]),
        env_prefix=str(spec.tree["x-env-prefix"]),
        default_base_url=url if server.get("x-evidence") in ("documented", "official") else None,
        likely_base_url=url,
        default_headers={str(name): str(value) for name, value in as_map(spec.tree.get("x-default-headers")).items()},
        export_status=roles.get("status", ""),
        export_signed_url=roles.get("signed-url", ""),
        paging=_usual_paging(methods),
    )


def _usual_paging(methods: list[Method]) -> tuple[tuple[str, str], ...]:
    """What most lists call their paging parameters, where that is not what we call them."""
    usual: dict[str, str] = {}
    for pair, count in Counter(pair for method in methods for pair in method.paging).items():
        kinds = {method.kind for method in methods if pair in method.paging}
        if 2 * count > sum(method.kind in kinds for method in methods):
            usual[pair[0]] = pair[1]
    return tuple(sorted(usual.items()))


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\", "/").replace('"', "'").split()).rstrip(".") + "."


def _space_doc(space: Namespace) -> str:
    subject = space.bind.replace("_id", "").replace("_", " ")
    return f"The resources of one {subject}; `{space.bind}` goes into all their routes."


class SurfaceProject(Project):
    """Renders one surface's package: models, descriptors, resources, and the table of routes."""

    def __init__(self, spec: Spec, openapi: GeneratorData, config: Config) -> None:
        super().__init__(openapi=openapi, config=config, custom_template_path=TEMPLATES)
        describer = Describer(spec)
        self.spec = spec
        self.methods = describer.methods()
        self.resources = describer.resources(self.methods)
        by_module = {method.module: method for method in self.methods}
        shapes = {class_name(name): name for name in spec.schemas}
        # The tool also makes classes for inline maps and enums; ours are dicts and literals.
        openapi.models = [model for model in openapi.models if model.class_info.name in shapes]
        openapi.enums = [enum for enum in openapi.enums if enum.class_info.name in shapes]

        def shape_of(name: str) -> ModelShape:
            return model_shape(spec, shapes[name])

        def enum_values(enum: Any) -> list[Json]:
            return as_list(spec.merged(spec.schemas[shapes[enum.class_info.name]]).get("enum"))

        def filter_repr(value: object) -> str:
            return repr(value)

        self.env.filters["repr"] = filter_repr
        names: dict[str, Any] = {
            "surface": spec.surface,
            "title": str(as_map(spec.tree["info"])["title"]),
            "method_of": by_module.__getitem__,
            "shape_of": shape_of,
            "enum_values": enum_values,
            "module_of": module_of,
            "one_line": _one_line,
            "space_doc": _space_doc,
            "api_method": operations.api_method,
            "raw_code": operations.raw_code,
            "raw_functions": operations.raw_functions,
            "raw_imports": operations.raw_imports,
            "LISTS": LISTS,
            "call_keywords": operations.call_keywords,
            "method_doc": operations.method_doc,
            "modify_doc": operations.modify_doc,
            "model_imports": source.model_imports,
            "paging_keywords": operations.paging_keywords,
            "param_code": source.param_code,
            "range_code": source.range_code,
            "result_type": operations.result_type,
            "signature_part": operations.signature_part,
        }
        cast("dict[str, Any]", self.env.globals).update(names)

    def write(self, name: str, template: str, **context: object) -> None:
        """Render one of our own files."""
        path = self.package_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.env.get_template(template).render(**context), encoding="utf-8")

    def _build_api(self) -> None:
        super()._build_api()
        # The tool's own client is not wanted: requests are sent by the package that imports this one.
        for name in ("client.py", "errors.py", "types.py"):
            (self.package_dir / name).unlink()
        self._build_resources()
        self.write("surface.py", "surface.py.jinja", facts=surface_facts(self.spec, self.methods), methods=self.methods)

    def _build_resources(self) -> None:
        for resource in self.resources:
            self.write(
                f"resources/{resource.module}.py",
                "resource.py.jinja",
                resource=resource,
                imports=self._imports(resource),
            )
        self.write("resources/__init__.py", "resources_init.py.jinja", resources=self.resources, groups=self._groups())

    def _imports(self, resource: Resource) -> list[str]:
        models: set[str] = set()
        dicts: set[str] = set()
        for method in resource.methods:
            models |= {method.model, method.rows} - {""}
            for argument in method.own_arguments:
                nested = source.models_of(argument.kind) if argument.param.place == "body" else set[str]()
                models |= nested | source.enums_of(argument.kind)
                dicts |= {f"{name}Dict" for name in nested}
        lines = source.model_imports(models, "..models.")
        return lines + ([f"from ..typed_dicts import {', '.join(sorted(dicts))}"] if dicts else [])

    def _groups(self) -> list[Group]:
        client = str(self.spec.tree["x-client-name"])
        spaces = {
            name: Namespace(name, python_name(str(entry["bind"])))
            for name, entry in as_map(self.spec.tree.get("x-namespaces")).items()
        }
        own = tuple(resource for resource in self.resources if not resource.namespace)
        groups = [Group(f"{client}Resources", f"The resources of {client}", "", own, tuple(spaces.values()))]
        for space in spaces.values():
            members = tuple(resource for resource in self.resources if resource.namespace == space.name)
            groups.append(Group(space.class_name, f"The resources of `{space.name}`", space.bind, members, ()))
        return groups


def _config(output: Path) -> Config:
    return Config.from_sources(
        config_file=ConfigFile(literal_enums=True, post_hooks=[], use_path_prefixes_for_title_model_names=False),
        meta_type=MetaType.NONE,
        document_source=Path("spec"),
        file_encoding="utf-8",
        overwrite=True,
        output_path=output,
    )


def _describe(error: GeneratorError) -> str:
    return " ".join(part for part in (error.header, error.detail) if part)


def build_surface(spec: Spec, output: Path) -> SurfaceProject:
    """Render a surface's package into an empty folder; every warning of the tool is an error."""
    config = _config(output)
    data = GeneratorData.from_dict(copy.deepcopy(spec.tree), config=config)
    if isinstance(data, GeneratorError):
        raise GenerationError(f"{spec.source.label}: openapi-python-client refuses it: {_describe(data)}")
    project = SurfaceProject(spec, data, config)
    with contextlib.redirect_stdout(io.StringIO()):
        errors = project.build()
    if errors:
        raise GenerationError(
            "\n".join(f"{spec.source.label}: openapi-python-client warns: {_describe(error)}" for error in errors)
        )
    count_modules(spec, project, output)
    return project


def expected_modules(spec: Spec, methods: list[Method]) -> Mapping[str, str]:
    """Every module that a spec needs, with the operation or schema that needs it."""
    wanted = {f"api/{method.tag}/{method.module}.py": f"operation {method.id}" for method in methods}
    for name, schema in spec.schemas.items():
        merged = spec.merged(schema)
        if merged.get("type") == "object" or "enum" in merged:
            wanted[f"models/{module_of(class_name(name))}.py"] = f"schema {name}"
    return wanted


def count_modules(spec: Spec, project: SurfaceProject, output: Path) -> None:
    """Raise :class:`GenerationError` if an operation or schema has no module: the tool silently drops some."""
    wanted = expected_modules(spec, project.methods)
    missing = [f"{what} has no module {path}" for path, what in wanted.items() if not (output / path).is_file()]
    asked = len(project.methods) + sum(path.startswith("models/") for path in wanted)
    if missing or len(wanted) != asked:
        raise GenerationError("\n".join(f"{spec.source.label}: {line}" for line in missing or ["two share one module"]))
