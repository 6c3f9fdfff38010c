"""Writes docs/settings.md from the settings' JSON Schema, so that what is documented is what is read."""

import sys
from collections.abc import Iterator
from typing import Any

from lifecycle.config import settings

TITLES = {
    "": "Top level",
    "platforms.<name>": "`platforms.<name>`",
    "endpoints.<name>": "`endpoints.<name>`",
    "endpoints.<name>.warm": "`endpoints.<name>.warm`",
    "endpoints.<name>.scaling": "`endpoints.<name>.scaling`",
    "budget": "`budget`",
    "endpoints.<name>.budget": "`endpoints.<name>.budget`",
    "cron[]": "`cron[]`",
}
HEAD = """# Settings

Made from the schema by `make schema`; do not edit. The file is `functions/lifecycle.yaml`, or the one that
`LIFECYCLE_CONFIG` names. `lifecycle check FILE` reports every mistake with its line. Only `true` and `false` are
booleans. Times and dates need no quotes; a value that begins with `*` or `[`, or has a comma inside a list, does.
"""


def tables(path: str, schema: dict[str, Any]) -> Iterator[str]:
    """The table of a mapping's keys, and of the mappings below it."""
    if "properties" in schema:
        required = schema.get("required", ())
        yield f"\n## {TITLES[path]}\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
        for key, value in schema["properties"].items():
            must = " (required)" if key in required else ""
            meaning = value.get("description", "").replace("|", "\\|")
            yield f"| `{key}`{must} | {shape(value)} | {default(value)} | {meaning} |\n"
        for key, value in schema["properties"].items():
            yield from tables(f"{path}.{key}".lstrip("."), value)
    elif "anyOf" in schema and path in TITLES:
        for one in schema["anyOf"]:
            yield from tables(path, one)
    elif isinstance(schema.get("additionalProperties"), dict):
        yield from tables(f"{path}.<name>", schema["additionalProperties"])
    elif isinstance(schema.get("items"), dict):
        yield from tables(f"{path}[]", schema["items"])


def shape(schema: dict[str, Any]) -> str:
    """A value in a few words."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        one, *others = schema["anyOf"]
        return ", or ".join(
            [shape(one), *("a list" if other.get("type") == "array" else shape(other) for other in others)]
        )
    if schema.get("type") == "array":
        return f"list of {shape(schema['items'])}"
    if "const" in schema:
        return f"`{str(schema['const']).lower()}`"
    if schema.get("type") == "number":
        return "a number above 0"
    if "examples" in schema:
        return ", ".join(f"`{value}`" for value in schema["examples"])
    if "type" not in schema:
        return "any JSON value"
    if schema["type"] == "integer":
        return f"whole number from {schema['minimum']}"
    return {"boolean": "`true` or `false`", "string": "text"}.get(str(schema["type"]), "mapping")


def default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    return "" if value is None else f"`{value if isinstance(value, str) else str(value).lower()}`"


def main() -> None:
    text = HEAD + "".join(tables("", settings.schema()))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
