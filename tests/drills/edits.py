"""The edits that the drills make to a copy of the network spec, each the one edit that such a change takes."""

from __future__ import annotations

import copy
from typing import Any

Json = dict[str, Any]


def operation(spec: Json, operation_id: str) -> Json:
    for item in spec["paths"].values():
        for one in item.values():
            if one["operationId"] == operation_id:
                found: Json = one
                return found
    raise LookupError(operation_id)


def schema(spec: Json, name: str) -> Json:
    found: Json = spec["components"]["schemas"][name]
    return found


def new_field(spec: Json) -> None:
    for name in ("Offer", "OfferRequest"):
        schema(spec, name)["properties"]["sunset_note"] = {"type": "string", "description": "Why the offer ends."}
    schema(spec, "Offer")["properties"]["sunset_at"] = {
        "type": "string",
        "format": "date-time",
        "description": "When the offer ends.",
    }
    schema(spec, "ClickReportRow")["properties"]["attention"] = {"type": "number", "description": "Seconds in view."}


def new_enum_value(spec: Json) -> None:
    schema(spec, "UserRole")["enum"].append("auditor")


def new_operation(spec: Json) -> None:
    item = next(one for one in spec["paths"].values() if any(op["operationId"] == "getUser" for op in one.values()))
    item["delete"] = {
        "operationId": "deleteUser",
        "summary": "Delete a user",
        "description": "Takes a person's access away.",
        "tags": ["Users"],
        "x-resource": "users",
        "x-method": "delete",
        "x-kind": "write",
        "x-evidence": "documented",
        "security": [{"ApiKey": []}],
        "parameters": copy.deepcopy(item["get"]["parameters"]),
        "responses": copy.deepcopy(operation(spec, "updateUser")["responses"]),
    }


def renamed_path(spec: Json) -> None:
    names = ("listOfferLandingPages", "getOfferLandingPage")
    spec["paths"] = {
        landers(path) if any(op["operationId"] in names for op in item.values()) else path: item
        for path, item in spec["paths"].items()
    }


def landers(path: str) -> str:
    """A route of landing pages as it is after the drill."""
    collection = path.removesuffix("/").removesuffix("/{offerLandingPageID}")
    return path.replace(f"/{collection.rpartition('/')[2]}", "/landers")


def removed_field(spec: Json) -> None:
    for name in ("Offer", "OfferRequest"):
        del schema(spec, name)["properties"]["primary_domain"]


def new_page_kind(spec: Json) -> None:
    """The impression report turns from cursors to numbered pages without a total."""
    report = operation(spec, "listImpressionReport")
    report["x-kind"] = "report-numbered"
    cursors = ("PageBefore", "PageAfter")
    report["parameters"] = [one for one in report["parameters"] if not one["$ref"].endswith(cursors)]
    report["parameters"].append({"$ref": "#/components/parameters/PageNumber"})
    page = schema(spec, "ImpressionReportPage")
    page["properties"] = {"data": page["properties"]["data"]}


def deprecations(spec: Json) -> None:
    operation(spec, "bulkDeleteOffers").update(
        {"deprecated": True, "x-replacement": "offers.bulk_update(active=False)"}
    )
    for parameter in operation(spec, "listExports")["parameters"]:
        if parameter.get("name") == "filter[type]":
            parameter.update({"deprecated": True, "x-replacement": "filter={'kind': …}"})
    phone = {"deprecated": True, "x-replacement": "the address book"}
    for name in ("User", "CreateUserRequest", "UpdateUserRequest"):
        schema(spec, name)["properties"]["phone"].update(phone)
    percent = {"deprecated": True, "x-replacement": "payout"}
    schema(spec, "OfferPayoutConfig")["properties"]["payout_percent"].update(percent)


EDITS = (new_field, new_enum_value, new_operation, renamed_path, removed_field, new_page_kind, deprecations)
