"""Files of peerings: YAML or JSON, each with one peering, a list of them, or `peerings:` with `labels:` for them all.

A peering is the body of `POST /api/peerings`, with `labels` and a `note` beside it if it has any.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

from command_line.failures import Document, ExitCode, Failure

#: The fields of an existing peering that change without a run.
MARKS: Final = ("labels", "note")
_SHAPE: Final = "must hold a peering, a list of peerings, or peerings: with such a list"
#: The fields that an export leaves out: the id follows from the pair.
_DERIVED: Final = frozenset({"id", *MARKS})
#: The fields that name the VPC in Aiven, and the VNet.
_PAIR: Final = ("project", "project_vpc_id", "organization_id", "organization_vpc_id", "vnet_id")
#: What an entry of an unrecorded peering lacks, because no cloud shows it.
NOT_SHOWN: Final = "labels, note, repair, on_failure"
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_BOOLEAN: Final = "tag:yaml.org,2002:bool"
#: The first characters of `true` and `false`; `off`, `on`, `yes` and `no` are words, as in YAML 1.2.
_TRUE_OR_FALSE: Final = frozenset("tTfF")
#: The exceptions for values that YAML has but JSON does not.
_NO_JSON: Final = (TypeError, ValueError, RecursionError)
_TEXTS: Final = (str, int, float)


@dataclass(frozen=True)
class Wanted:
    """One peering of a file: where it stands there, the body of its start, its labels and its note."""

    where: str
    body: Mapping[str, object]
    marks: Mapping[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> dict[str, object]:
        """The body of a start that also sets its labels and its note."""
        return {**self.body, **self.marks}

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        found = self.marks.get("labels", {})
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Listed:
    """The peerings that one document of a file lists, which may be none, and the labels that they all have."""

    labels: Mapping[str, str]
    entries: Sequence[Wanted]


class _Object(dict[str, Any]):
    """An object of a file that knows its line."""

    line = 0


def _is_of_json(tag: str, first: str) -> bool:
    return tag != _TIMESTAMP and (tag != _BOOLEAN or first in _TRUE_OR_FALSE)


class _Loader(yaml.SafeLoader):
    """YAML as JSON has it: without dates, with `repair: off` as a word, and without names that are given twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [one for one in resolvers if _is_of_json(one[0], first)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _object(loader: _Loader, node: yaml.MappingNode) -> _Object:
    names = [name.value for name, _ in node.value]
    for number, (name, _) in enumerate(node.value):
        if name.value in names[:number]:
            raise yaml.constructor.ConstructorError(None, None, f"{name.value} is given twice", name.start_mark)
    found = _Object(cast("dict[str, Any]", loader.construct_mapping(node, deep=True)))
    found.line = node.start_mark.line + 1
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _object)


def value(text: str) -> object:
    """A value as a file would give it.

    Raises:
        Failure: it is no YAML, or nothing that JSON has.
    """
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - it is a SafeLoader
        json.dumps(found, allow_nan=False)
    except (yaml.YAMLError, *_NO_JSON):
        raise Failure(
            f"{text} is no value.", "Put a text that YAML would misread into quotes.", ExitCode.USAGE
        ) from None
    return found


def read(paths: Sequence[Path]) -> list[Listed]:
    """The documents of some files; `-` is what comes in.

    Raises:
        Failure: a file cannot be read, or does not hold peerings; the message has the line.
    """
    return [listed for path in paths for listed in _documents(path)]


def _documents(path: Path) -> Iterator[Listed]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        documents = [one for one in yaml.load_all(text, _Loader) if one is not None]
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise Failure(f"{path}{line}: {error.problem}.", "Correct the file.", ExitCode.USAGE) from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise Failure(f"{path}: {error}.", "Give files of YAML or JSON.", ExitCode.USAGE) from None
    for document in documents:
        listed, labels = _listed(document)
        if not isinstance(listed, list) or not all(isinstance(one, _Object) for one in listed):
            raise Failure(f"{path}: {_SHAPE}.", "Correct the file.", ExitCode.USAGE)
        shared = _labels(f"{path}: labels", labels)
        yield Listed(shared, [_wanted(f"{path}:{one.line}", one, shared) for one in listed])


def _listed(document: object) -> tuple[object, object]:
    """What should be the list of one document's peerings, and the labels that they all have."""
    if isinstance(document, _Object) and "peerings" in document and set(document) <= {"peerings", "labels"}:
        return document["peerings"] or [], document.get("labels")
    return document if isinstance(document, list) else [document], None


def _wanted(where: str, one: _Object, shared: Mapping[str, str]) -> Wanted:
    own = {name: one[name] for name in MARKS if name in one}
    if shared or "labels" in own:
        own["labels"] = {**shared, **_labels(f"{where}: labels", own.get("labels"))}
    if "note" in own and own["note"] is None:
        own["note"] = ""
    try:
        json.dumps(one, allow_nan=False)
    except _NO_JSON as error:
        raise Failure(f"{where}: {error}.", "Use only values that JSON also has.", ExitCode.USAGE) from None
    return Wanted(where, {name: value for name, value in one.items() if name not in MARKS}, own)


def _labels(where: str, given: object) -> dict[str, str]:
    """Labels with their texts; a number is the text that it is written as.

    Raises:
        Failure: they are something else.
    """
    labels = {} if given is None else given
    if not isinstance(labels, Mapping) or not all(type(text) in _TEXTS for text in labels.values()):
        rule = "must be names, each with a text or a number; true, false and null stand in quotes"
        raise Failure(f"{where}: {rule}.", "Correct the file.", ExitCode.USAGE)
    return {str(name): str(text) for name, text in labels.items()}


def as_file(status: Document) -> dict[str, object]:
    """A peering as an entry of a file, by its status."""
    spec = {name: value for name, value in status["peering"].items() if name not in _DERIVED and value is not None}
    return spec | {name: status[name] for name in MARKS if status.get(name)}


def doubtful(lost: Document) -> str:
    """The options of an unrecorded peering that no cloud shows now; if its entry has one, that is a guess."""
    entry = lost["request"]
    return ", ".join(f"{name} ({entry[name]}: a guess)" if name in entry else name for name in lost["not_shown"])


def adoptable(connection: Document) -> dict[str, object]:
    """A connection that no peering has, as an entry that takes it over."""
    return {**{name: connection[name] for name in _PAIR if name in connection}, "adopt": True}


def pair_of(entry: Document) -> tuple[str, ...]:
    """The VPC and the VNet of an entry, as Azure compares names."""
    return tuple(str(entry.get(name) or "").lower() for name in _PAIR)
