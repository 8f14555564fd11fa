"""Which connections are this app's, by the names of the application and of its credentials."""

import pytest

from peering.aiven_vpc import AivenVpc
from peering.look import ApplicationLook
from peering.lost import Connected, is_own
from peering.naming import federated_credential_name, peering_id, secret_name, unique_name

_GROUP = "/subscriptions/78e51061-7311-48a3-82ce-6f447ed4d57b/resourceGroups/Straße"
_VNET = f"{_GROUP}/providers/Microsoft.Network/virtualNetworks/Hub"
_VPC = AivenVpc("project", "net", "ec148cb4-8e73-4a47-aa90-a8f0d66b829e")
_CONNECTED = Connected(_VPC, "10.0.0.0/24", _VNET, "an application", "a tenant", "ACTIVE", [])
_OTHER = peering_id("net", _VPC.id, "/subscriptions/of/another/pair")


def named(unique: str | None = None, credential: str = "by hand", federated: str = "github") -> ApplicationLook:
    return ApplicationLook(
        application_id="an application",
        object_id="an object",
        name="Hub",
        unique_name=unique,
        passwords={},
        password_names=[credential],
        federated=[federated],
        audience="AzureADMultipleOrgs",
    )


@pytest.mark.parametrize(
    ("application", "own"),
    [
        (named(unique_name(_CONNECTED.id)), True),
        (named(unique_name(_CONNECTED.earlier_id)), True),
        (named(credential=f"{secret_name(_CONNECTED.id)} 0a1b2c3d"), True),
        (named(federated=federated_credential_name(_CONNECTED.id)), True),
        (named(unique_name(_OTHER)), False),
        (named(credential=f"{secret_name(_OTHER)} 0a1b2c3d"), False),
        (named(), False),
    ],
)
def test_a_name_of_this_app_says_whose_a_connection_is(application: ApplicationLook, own: bool) -> None:
    assert _CONNECTED.earlier_id != _CONNECTED.id
    assert is_own(_CONNECTED, application) == own
