"""The list of settings: of the hub, and of the commands that speak to one."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from hub.cli.connection import Environment
from hub.settings import Settings

_HEAD = """\
# 设置 · Settings

由 `make docs` 从 `hub/settings.py` 生成，请勿手改。Generated from the code: do not edit.

设置取自环境变量，启动时读取一次。Settings are environment variables, read once at the start.

| 变量 / variable | 类型 / type | 缺省 / default | meaning |
|---|---|---|---|
"""
_OF_COMMANDS = """
客户端命令用这两个变量找到贯通，`--data` 优先。How commands find the hub, unless `--data` says it.

| 变量 / variable | 类型 / type | 缺省 / default | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The page."""
    return "".join([_HEAD, *_rows(Settings), _OF_COMMANDS, *_rows(Environment)])


def _rows(model: type[BaseModel]) -> Iterator[str]:
    schemas = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        variable = f"{model.model_config.get('env_prefix', '')}{name}".upper()
        default = "–" if field.default is None else f"`{field.default}`"
        yield f"| `{variable}` | {_type(schemas[name])} | {default} | {field.description} |\n"


def _type(schema: Mapping[str, Any]) -> str:
    """The type and its bounds."""
    schema = next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), schema)
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    bounds = [f"{sign} {schema[name]:g}" for name, sign in signs.items() if name in schema]
    return " ".join([schema["type"], *bounds])
