"""Reads a team's YAML files and says which line is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from core.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)
# libyaml reads a large file of rules ten times as fast; wheels of PyYAML bring it along.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_yaml(path: Path, model: type[Model]) -> Model:
    """Return the content of ``path`` as ``model``.

    Raises:
        BadInput: The file is missing, is not YAML, or does not fit ``model``; the message names
            file, line and field of the first problem and counts the others.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    try:
        node = yaml.compose(text, Loader=_LOADER)
        value = yaml.load(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = min(error.problem_mark.line, text.count("\n")) + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:  # such as control characters
        raise BadInput(f"{path}: not valid YAML: {' '.join(str(error).split())}.") from None
    except ValueError as error:  # such as a date that does not exist
        raise BadInput(f"{path}: not valid YAML: {error}.") from None
    try:
        return model.model_validate({} if value is None else value)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        first = problems[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        line = line_of(node, first["loc"])
        raise BadInput(f"{path}:{line}: {field}: {first['msg']}.{more}") from None


def line_of(node: yaml.Node | None, location: Sequence[int | str]) -> int:
    """Return the line (from 1) of ``location`` in a composed YAML document.

    Where the location is missing from the document, the line of its nearest parent.
    """
    line = node.start_mark.line + 1 if node else 1
    for part in location:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, child = key.start_mark.line + 1, value
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value)
        ):
            child = node.value[part]
            line = child.start_mark.line + 1
        if child is None:
            break
        node = child
    return line
