"""Whether Azure Policy or a deny assignment blocks actions of a start or a removal on a VNet. No I/O.

The forms are those of Azure's own references: "Azure Policy definition structure", "Azure Policy definitions denyAction
effect" and "Understand Azure deny assignments" (learn.microsoft.com).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeAlias

from peering.naming import folded, same_id, within
from peering.rights import grants

#: The id by which a deny assignment names all principals.
_EVERYBODY: Final = "00000000-0000-0000-0000-000000000000"
_PARAMETER: Final = re.compile(r"\[parameters\('([^']+)'\)\]", re.IGNORECASE)
#: An expression that cannot be evaluated.
_UNKNOWN: Final = "[unknown]"
#: The effect that forbids an action, by the action's last part.
_EFFECTS: Final = {"write": "deny", "delete": "denyaction"}

Parameters = Mapping[str, object]
#: A part of a policy assignment that limits it to some resources, or to some definitions of its initiative.
_Selector: TypeAlias = Mapping[str, Any]


class Definition(NamedTuple):
    """A policy definition's properties, the values of its parameters, and its name in an initiative."""

    properties: Mapping[str, Any]
    parameters: Parameters
    reference: str = ""


def parameters_of(declared: Mapping[str, Any], given: Mapping[str, Any], outer: Parameters | None = None) -> Parameters:
    """The values of a definition's parameters.

    Args:
        declared: the parameters as the definition declares them, with their default values.
        given: those that its assignment gives, or the initiative that it is part of.
        outer: the values of that initiative's own parameters.
    """
    defaults = {name: one["defaultValue"] for name, one in declared.items() if "defaultValue" in one}
    return {**defaults, **{name: _resolved(one.get("value"), outer or {}) for name, one in given.items()}}


def is_in_force(assignment: Mapping[str, Any], path: str) -> bool:
    """Whether a policy assignment of a VNet is enforced on a path, which its scopes may exclude.

    Args:
        assignment: the assignment, as Azure lists it for the VNet.
        path: the VNet's ARM id, or that of its subscription.
    """
    assigned = assignment["properties"]
    left_out = any(within(path, scope) for scope in assigned.get("notScopes") or [])
    return assigned.get("enforcementMode") != "DoNotEnforce" and not left_out and _reaches(assignment["id"], path)


def _reaches(resource_id: str, path: str) -> bool:
    """Whether a scope in force on a VNet also covers a path."""
    return _covers(folded(resource_id).rpartition("/providers/microsoft.authorization/")[0], path)


def _covers(scope: str, path: str) -> bool:
    """Whether a scope above a VNet also contains a path: a management group contains both."""
    return folded(scope).startswith("/providers/microsoft.management/") or within(path, scope)


def exempted_assignments(exemptions: Sequence[Mapping[str, Any]], path: str, now: datetime) -> dict[str, bool]:
    """The ids, `folded`, of the policy assignments that a path is exempted from: True if from all of their definitions.

    Args:
        exemptions: those that Azure lists for a VNet.
        path: the VNet's ARM id, or that of its subscription.
        now: the moment; an exemption may have ended.
    """
    reaching = [one["properties"] for one in exemptions if _reaches(one["id"], path)]
    valid = [one for one in reaching if not (end := one.get("expiresOn")) or _moment(end) > now]
    whole = [one for one in valid if not one.get("policyDefinitionReferenceIds") and not one.get("resourceSelectors")]
    wholly = {folded(one["policyAssignmentId"]) for one in whole}
    return {name: name in wholly for one in valid for name in [folded(one["policyAssignmentId"])]}


def _moment(text: str) -> datetime:
    """A moment as Azure writes it: in UTC, with or without saying so."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def denied_by(
    definitions: Collection[Definition], actions: Collection[str], assigned: Mapping[str, Any]
) -> dict[str, bool]:
    """The actions that policy definitions deny: True for those that they certainly deny, False if they may.

    Args:
        definitions: the definitions that one assignment brings.
        actions: such as `Microsoft.Authorization/roleAssignments/delete`.
        assigned: the assignment's properties.
    """
    found = {}
    for action in actions:
        verdicts = {_verdict(one, action, assigned) for one in definitions}
        if verdicts & {True, None}:
            found[action] = True in verdicts
    return found


def _verdict(definition: Definition, action: str, assigned: Mapping[str, Any]) -> bool | None:
    """Whether a definition denies an action as its assignment applies it; None if it may."""
    names = {"resourceType": action.rpartition("/")[0], "policyDefinitionReferenceId": definition.reference}
    selectors = [one.get("selectors") or [] for one in assigned.get("resourceSelectors") or []]
    selected = {_selects(one, names) for one in selectors} if selectors else {True}
    if selected == {False}:
        return False
    effects = _effects(definition, assigned.get("overrides") or [], names)
    verdicts = {_denies(definition, effect, action) for effect in effects}
    if verdicts == {False}:
        return False
    return verdicts.pop() if len(verdicts) == 1 and True in selected else None


def _effects(definition: Definition, overrides: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[object]:
    """The effects that a definition has, for some resources or for all, where its assignment overrides its own."""
    effects: list[object] = [definition.properties["policyRule"]["then"]["effect"]]
    for override in overrides:
        applies = _selects(override.get("selectors") or [], names)
        if applies is not False:
            is_effect = folded(str(override.get("kind"))) == "policyeffect"
            effect = override.get("value") if is_effect else _UNKNOWN
            effects = [effect, *([] if applies and is_effect else effects)]
    return effects


def _selects(selectors: Sequence[_Selector], names: Mapping[str, str]) -> bool | None:
    """Whether all selectors match these values; None if one selects by another property, such as a location."""
    fits = [_fits_selector(one, names.get(str(one.get("kind")))) for one in selectors]
    return False if False in fits else None if None in fits else True


def _fits_selector(selector: _Selector, name: str | None) -> bool | None:
    if name is None:
        return None
    listed, excluded = ([folded(str(one)) for one in selector.get(kind) or []] for kind in ("in", "notIn"))
    return folded(name) in listed if listed else folded(name) not in excluded


def _denies(definition: Definition, effect: object, action: str) -> bool | None:
    """Whether a definition with an effect, its own or its assignment's, denies an action; None if it may."""
    properties, parameters = definition.properties, definition.parameters
    # The other modes apply only to types with tags and a location, or to objects outside ARM.
    if str(properties.get("mode", "All")).lower() != "all":
        return False
    rule, (resource_type, _, verb) = properties["policyRule"], action.rpartition("/")
    forbidden = _forbids({**rule["then"], "effect": effect}, parameters, verb)
    if forbidden is False:
        return False
    fits = _fits(rule["if"], parameters, resource_type)
    return None if fits and forbidden is None else fits


def _forbids(then: Mapping[str, Any], parameters: Parameters, verb: str) -> bool | None:
    """Whether the effect of a rule forbids a `write` or a `delete`; None when an unknown parameter decides."""
    effect = _known(then["effect"], parameters)
    if effect != [_EFFECTS[verb]]:
        return None if effect is None else False
    if verb == "write":
        return True
    details = then.get("details")
    names = _known((details.get("actionNames") if isinstance(details, dict) else None) or [], parameters)
    return None if names is None else verb in names


def _fits(condition: Mapping[str, Any], parameters: Parameters, resource_type: str) -> bool | None:
    """Whether resources of a type fit a condition, in three values: yes, no, and undecidable by the type."""
    if "not" in condition:
        inner = _fits(condition["not"], parameters, resource_type)
        return None if inner is None else not inner
    for name, decisive in (("allOf", False), ("anyOf", True)):
        if name in condition:
            found = [_fits(one, parameters, resource_type) for one in condition[name]]
            if decisive in found:
                return decisive
            return None if None in found else not decisive
    if str(condition.get("field", "")).lower() != "type":
        return None
    return _compares(condition, parameters, resource_type.lower())


def _compares(condition: Mapping[str, Any], parameters: Parameters, wanted: str) -> bool | None:
    for operator, value in condition.items():
        name, texts = operator.lower().removeprefix("not"), _known(value, parameters)
        if name not in ("equals", "in", "like") or texts is None:
            continue
        found = any(re.fullmatch(re.escape(one).replace(r"\*", ".*"), wanted) for one in texts)
        return found != operator.lower().startswith("not")
    return None


def _known(value: object, parameters: Parameters) -> list[str] | None:
    """The texts, in lower case, that a value is or lists; None if one is an expression that cannot be evaluated."""
    given = _resolved(value, parameters)
    texts = [str(one).lower() for one in given] if isinstance(given, list) else [str(given).lower()]
    return None if any(one.startswith("[") for one in texts) else texts


def _resolved(value: object, parameters: Parameters) -> object:
    """A value, or that of the parameter that it names; any other expression stays as it is."""
    match = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
    return parameters.get(match[1], value) if match else value


def denied_actions(
    denial: Mapping[str, Any], path: str, identity: str, by_app: Sequence[str], by_others: Sequence[str]
) -> list[str]:
    """The actions that a deny assignment denies.

    Args:
        denial: the deny assignment's properties.
        path: what is changed, by its ARM id.
        identity: the object id of the app's own identity.
        by_app: the actions that this identity needs.
        by_others: the actions of identities that do not exist yet or are unknown: only a denial for all applies.
    """
    scope = str(denial.get("scope") or "/")
    if not (same_id(path, scope) if denial.get("doNotApplyToChildScopes") else _covers(scope, path)):
        return []
    named, excluded = _ids(denial.get("principals")), _ids(denial.get("excludePrincipals"))
    is_app = identity not in excluded and bool(named & {identity, _EVERYBODY})
    needed = [*(by_app if is_app else ()), *(by_others if _EVERYBODY in named else ())]
    taken = denial.get("permissions") or []
    return [
        action
        for action in needed
        if any(grants(p.get("actions") or [], action) and not grants(p.get("notActions") or [], action) for p in taken)
    ]


def _ids(principals: Sequence[Mapping[str, Any]] | None) -> set[str]:
    return {str(one.get("id")).lower() for one in principals or []}
