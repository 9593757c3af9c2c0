"""YAML text → plain values with their lines, and nothing that surprises.

YAML's own reading of a bare word is full of traps (``010``, ``no``, ``1_000``, ``12:30``), so the scalars' raw text is read
here by a short list of forms, and everything that looks like one of the traps is refused with what to write instead.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from schemas.rulebook.errors import RulebookError

Path = tuple[str | int, ...]

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OCTAL = re.compile(r"[+-]?0[0-9_]+|[+-]?0[oO][0-7_]+|[+-]?0[xX][0-9a-fA-F_]+|[+-]?0[bB][01_]+")
_FLOAT = re.compile(
    r"[+-]?([0-9][0-9_]*)?\.[0-9_]*([eE][+-]?[0-9]+)?|[+-]?[0-9][0-9_]*[eE][+-]?[0-9]+|[+-]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_SEPARATED = re.compile(r"[+-]?[0-9][0-9_,]*[_,][0-9_,]*|\+[0-9]+|-0")
_SEXAGESIMAL = re.compile(r"[+-]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_LOOSE_DATE = re.compile(r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}([Tt ].*)?")
_YES_NO = {"y", "n", "yes", "no", "on", "off"}


def read_yaml(text: str, file: str) -> tuple[Any, dict[Path, int]]:
    """``(value, lines)``: mappings as dicts, sequences as tuples; ``lines`` gives each path's line. Raises ``RulebookError``."""
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise RulebookError(
                "tab", file=file, line=number, what="a tab indents this line", remedy="Indent with spaces, two for each level"
            )
    try:
        documents = list(YAML(typ="rt").compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RulebookError(
            "yaml",
            file=file,
            line=mark.line + 1 if mark else 1,
            what=f"this is not YAML ({error.problem or error.context})",
            remedy="Look for a missing colon, quote or bracket on this line or the one before",
        ) from None
    except YAMLError as error:
        raise RulebookError(
            "yaml", file=file, line=1, what=f"this is not YAML ({error})", remedy="Save the file as UTF-8 without control characters"
        ) from None
    if len(documents) != 1 or not isinstance(documents[0], MappingNode):
        raise RulebookError(
            "document",
            file=file,
            line=1,
            what="a rulebook file holds one mapping",
            remedy="Begin with 'topic: …' and remove any further '---'",
        )
    _no_tags(text, documents[0], file)
    lines: dict[Path, int] = {}
    return _plain(documents[0], (), lines, file), lines


def _no_tags(text: str, root: Node, file: str) -> None:
    """Refuse every tag, the standard ones too: the parser resolves those silently, so the text itself is looked at."""
    source = text.splitlines()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        mark = node.start_mark
        if mark.line < len(source) and source[mark.line][mark.column :].startswith("!"):
            raise RulebookError("tag", file=file, line=mark.line + 1, what="a tag is used", remedy="Remove it; values need no tag")
        if isinstance(node, SequenceNode):
            waiting += node.value
        elif isinstance(node, MappingNode):
            waiting += [part for pair in node.value for part in pair]


def _plain(node: Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if node.anchor is not None:
        raise RulebookError(
            "anchor", file=file, line=line, what=f"the anchor &{node.anchor} is used", remedy="Write the value out at each place"
        )
    if isinstance(node, ScalarNode):
        return _scalar(node, file, lines[path])
    if isinstance(node, SequenceNode):
        return tuple(_plain(item, (*path, index), lines, file) for index, item in enumerate(node.value))
    assert isinstance(node, MappingNode)
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        at = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise RulebookError("key", file=file, line=at, what="a key is not a word", remedy="Write 'name: value'")
        key = key_node.value
        if key == "<<":
            raise RulebookError("merge", file=file, line=at, what="a merge key '<<' is used", remedy="Write the keys out")
        if key in found:
            raise RulebookError(
                "duplicate-key",
                file=file,
                line=at,
                what=f"the key {key!r} stands twice in one mapping, first on line {lines[(*path, key)]}",
                remedy="Keep one of them",
            )
        lines[(*path, key)] = at
        found[key] = _plain(value_node, (*path, key), lines, file)
    return found


def _scalar(node: ScalarNode, file: str, line: int) -> Any:
    text: str = node.value
    if node.style in ("'", '"', "|", ">"):
        return text.rstrip("\n") if node.style in ("|", ">") else text

    def refuse(code: str, what: str, remedy: str) -> RulebookError:
        return RulebookError(code, file=file, line=line, what=what, remedy=remedy)

    if text == "":
        raise refuse("empty", "the value is empty", "Write the value or null; a text with a comma inside { } needs quotes")
    if text == "null":
        return None
    if text in ("true", "false"):
        return text == "true"
    if text.lower() in _YES_NO:
        raise refuse("yes-no", f"{text!r} means a truth value to some readers of YAML", f'Write true or false, or "{text}" in quotes')
    if text.lower() in ("null", "~", "true", "false"):
        raise refuse("spelling", f"{text!r} is an unusual spelling", "Write null, true or false in small letters")
    if _OCTAL.fullmatch(text):
        raise refuse("octal", f"{text!r} could be read as octal or hexadecimal", "Write the number without leading zero, or in quotes")
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        raise refuse("float", f"{text!r} is a floating-point number", f'Write it as a decimal in quotes, such as "{text.strip("+")}"')
    if _SEPARATED.fullmatch(text):
        raise refuse("separator", f"{text!r} has a sign or a separator", "Write the digits alone")
    if _SEXAGESIMAL.fullmatch(text):
        raise refuse("sexagesimal", f"{text!r} could be read as a number in base 60", "Put it in quotes")
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise refuse("date", f"there is no day {text}", "Write an existing day as YYYY-MM-DD") from None
    if _LOOSE_DATE.fullmatch(text):
        raise refuse("date", f"{text!r} is not a plain day", "Write the day as YYYY-MM-DD, without a time")
    return text
