"""What a created application signs in with: its password, or a token of the app's own identity."""

from clients.azure import secrets
from clients.connections import connections
from clients.credentials import Proof, automation_credential
from clients.known_secrets import remember
from clients.settings import settings
from peering.facts import CredentialFacts, needed


async def proof_of(facts: CredentialFacts) -> Proof:
    """What the created application signs in with, by the facts that name its credential."""
    if facts["credential"] == "federated":
        token = await automation_credential().get_token(settings().cloud.token_exchange_scope)
        return Proof(assertion=token.token)
    async with secrets() as vault:
        secret = await vault.get_secret(needed(facts["secret_name"]), needed(facts["secret_version"]))
    remember(secret.value)
    return Proof(password=secret.value or "")


async def kept_proof(facts: CredentialFacts) -> Proof:
    """The same, of a password that this worker has made without asking the vault for it."""
    held = connections().sign_ins.held(_kept_as(facts["secret_name"], facts["secret_version"]), Proof)
    return held if held is not None else await proof_of(facts)


def keep_password(name: str, version: str, value: str) -> None:
    """Keep a password that this worker has made and stored.

    Args:
        name: of its secret.
        version: of its secret.
        value: the password.
    """
    connections().sign_ins.get(_kept_as(name, version), lambda: Proof(password=value))


def _kept_as(name: object, version: object) -> tuple[object, ...]:
    return "proof", name, version
