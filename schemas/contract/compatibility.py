"""Whether a new contract breaks those who rely on the old one.

Inbound, the new schema must accept everything that the old one accepted; outbound, it must produce only what the old
one allowed. An unknown keyword counts as breaking when it differs: better a question than a break.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_SILENT = {"title", "description", "examples", "default", "$id", "$schema", "$comment"}
_LOWER_BOUNDS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_UPPER_BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_HANDLED = {"type", "enum", "const", "anyOf", "properties", "required", "items", "additionalProperties"}

GROWING = {
    "audit.recorded": ("/kind",),
    "alert.raised": ("/code",),
    "event.refused": ("/code",),
    "payout.instructed": ("/payee",),
    "claim.decided": ("/explanation/*/step", "/benefits/*/basis", "/benefits/*/reason"),
}
"""Outbound events with fields whose list of values may become longer, and where these fields are. Null is a value too.
"""


def breaks_senders(old: Schema, new: Schema) -> list[str]:
    """What a sender of an inbound event could no longer send, or would send for nothing. Schemas are inlined."""
    return [*_narrowed(old, new, "", "is narrower now"), *_removed(old, new, "")]


def breaks_readers(old: Schema, new: Schema) -> list[str]:
    """What a reader of an outbound event would meet or miss for the first time. Schemas are inlined.

    Kinds of audit entries, codes, payees, bases, reasons and steps of an explanation may be added: readers pass over
    those that they do not know. A payee that is new is instructed only after hospitals send what leads to it; a new
    step, basis or reason comes only under a policy that has the rule (docs/contracts/README.md).
    """
    expected = {
        f"{path}: {what}is wider now" for path in _grown(old, new) for what in ("its set of values ", "its type ", "")
    }
    return [each for each in _narrowed(new, old, "", "is wider now") if each not in expected] + _removed(old, new, "")


def _grown(old: Schema, new: Schema) -> list[str]:
    """The event's growing fields that list new values beside all of the old ones, and nothing else is new in them."""
    event_type = old.get("properties", {}).get("event_type", {}).get("const")
    grown = []
    for path in GROWING.get(event_type, ()):
        listed = [_listed(_at(path, each)) for each in (old, new)]
        if listed[0] and listed[1] and set(listed[0]) <= set(listed[1]):
            grown.append(path)
    return grown


def _listed(schema: Schema) -> list[Any]:
    """All values of a field that lists them, null among them; none of one that has others."""
    listed = list[Any]()
    for branch in _branches(schema):
        values = [None] if branch.get("type") == "null" else _values(branch)
        if values is None:
            return []
        listed += values
    return listed


def _at(path: str, schema: Schema) -> Schema:
    """The schema of a field; empty where there is none. ``*`` is any item of a list."""
    for name in path.split("/")[1:]:
        schema = schema.get("items", {}) if name == "*" else schema.get("properties", {}).get(name, {})
    return schema


def topics_broken(old: Schema, new: Schema) -> list[str]:
    """Topics of an AsyncAPI document that are gone, or changed direction or key, or have fewer messages than before."""
    broken = []
    for name, before in old["channels"].items():
        after = new["channels"].get(name)
        if after is None:
            broken.append(f"topic {name}: is gone")
            continue
        missing = sorted(set(before["messages"]) - set(after["messages"]))
        broken += [f"topic {name}: no longer holds {message}" for message in missing]
        for field in ("address", "description"):
            if before[field].partition(". ")[0] != after[field].partition(". ")[0]:
                broken.append(f"topic {name}: its {'key' if field == 'description' else field} has changed")
    actions = {name: operation["action"] for name, operation in new["operations"].items()}
    broken += [
        f"operation {name}: is gone or has changed direction"
        for name, operation in old["operations"].items()
        if actions.get(name) != operation["action"]
    ]
    return broken


def _removed(old: Schema, new: Schema, path: str) -> list[str]:
    """Fields that the old schema names and the new one does not, at every depth."""
    removed = []
    for before in _branches(old):
        for name, schema in before.get("properties", {}).items():
            places = [b["properties"][name] for b in _branches(new) if name in b.get("properties", {})]
            location = f"{path}/{name}"
            removed += [f"{location}: was removed"] if not places else _removed(schema, places[0], location)
        if "items" in before:
            inside = [b["items"] for b in _branches(new) if "items" in b]
            removed += _removed(before["items"], inside[0], f"{path}/*") if inside else []
    return removed


def _narrowed(wide: Schema, narrow: Schema, path: str, how: str) -> list[str]:
    """Where ``narrow`` could refuse something that ``wide`` accepts."""
    problems: list[str] = []
    alternatives = _branches(narrow)
    for branch in _branches(wide):
        answers = [_branch_narrowed(branch, other, path, how) for other in alternatives]
        if all(answers):
            problems += answers[0] if len(alternatives) == 1 else [f"{path or '/'}: {how}"]
    return problems


def _branches(schema: Schema) -> list[Schema]:
    """The alternatives of a schema; a list of types is one alternative each."""
    around = {key: value for key, value in schema.items() if key not in _SILENT and key != "anyOf"}
    if "anyOf" in schema:
        return [{**around, **inner} for branch in schema["anyOf"] for inner in _branches(branch)]
    if isinstance(schema.get("type"), list):
        return [{**around, "type": kind} for kind in schema["type"]]
    return [around]


def _branch_narrowed(wide: Schema, narrow: Schema, path: str, how: str) -> list[str]:
    location = path or "/"
    problems = []
    if "type" in narrow and wide.get("type", _type_of(wide)) != narrow["type"]:
        integer_is_number = (wide.get("type"), narrow["type"]) == ("integer", "number")
        if not integer_is_number:
            return [f"{location}: its type {how}"]
    allowed, possible = _values(narrow), _values(wide)
    if allowed is not None and (possible is None or any(value not in allowed for value in possible)):
        problems.append(f"{location}: its set of values {how}")
    for key in _LOWER_BOUNDS:
        if key in narrow and (key not in wide or wide[key] < narrow[key]):
            problems.append(f"{location}: {key} {how}")
    for key in _UPPER_BOUNDS:
        if key in narrow and (key not in wide or wide[key] > narrow[key]):
            problems.append(f"{location}: {key} {how}")
    for name in narrow.get("required", []):
        if name not in wide.get("required", []):
            problems.append(f"{path}/{name}: {'is required now' if how == 'is narrower now' else 'is optional now'}")
    for name, schema in narrow.get("properties", {}).items():
        if name in wide.get("properties", {}):
            problems += _narrowed(wide["properties"][name], schema, f"{path}/{name}", how)
    for key in ("items", "additionalProperties"):
        inner = narrow.get(key, True)
        if isinstance(inner, dict) and isinstance(wide.get(key), dict):
            problems += _narrowed(wide[key], inner, f"{path}/*", how)
        elif inner is not True and wide.get(key, True) != inner:
            problems.append(f"{location}: {key} {how}")
    other = set(narrow) - _HANDLED - set(_LOWER_BOUNDS) - set(_UPPER_BOUNDS)
    problems += [f"{location}: {key} {how}" for key in sorted(other) if wide.get(key) != narrow[key]]
    return problems


def _values(schema: Schema) -> list[Any] | None:
    """The values that a schema lists, or None where it lists none."""
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def _type_of(schema: Schema) -> str | None:
    """The type that listed values have."""
    kinds = {type(value) for value in _values(schema) or ()}
    names = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    return names.get(kinds.pop()) if len(kinds) == 1 else None
