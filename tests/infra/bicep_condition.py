"""The condition that `infra/modules/vnet-access.bicep` writes, read from the file itself."""

import re
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).resolve().parents[2] / "infra/modules/vnet-access.bicep"


def condition_of_template(platform_role: str, application_role: str) -> str:
    """The condition of the app's role assignment, for the names (GUIDs) of the two roles that it may assign."""
    text = _FILE.read_text()
    known = {name: value.replace(r"\'", "'") for name, value in re.findall(r"^var (\w+) = '(.*)'$", text, re.MULTILINE)}
    known |= {"platformRoleId": platform_role, "applicationRoleId": application_role}
    condition = known["condition"]
    while found := re.search(r"\$\{(\w+)\}", condition):
        condition = condition.replace(found[0], known[found[1]])
    return str(condition)
