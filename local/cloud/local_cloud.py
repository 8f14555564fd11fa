"""The local cloud as a whole: its world, its servers, and the variables that lead clients to it."""

import asyncio
import os
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from local.clock import Clock, SystemClock
from local.cloud.kept import load, save
from local.cloud.scenario import Scenario, load_scenario
from local.cloud.server.admin import IDENTITY_PATH, admin_app
from local.cloud.server.authority import certificate_authority
from local.cloud.server.broken_answers import Connections
from local.cloud.server.gateway import Gateway
from local.cloud.server.hosts import HOSTS
from local.cloud.server.proxy import ConnectProxy
from local.cloud.server.request_log import LoggedRequest
from local.cloud.server.wire import Request, Response
from local.cloud.world.landscape import FIRST_VNET, GROUP, ORGANIZATION, PROJECT, build
from local.cloud.world.world import World
from local.embedded_server import EmbeddedServer, listen, port_of
from peering.aiven_vpc import AivenVpc

_METHODS = ["GET", "POST", "PUT", "PATCH", "MERGE", "DELETE"]


class LocalCloud:
    """A cloud on this machine, reached through a CONNECT proxy on its real host names.

    Args:
        scenario: how it behaves, or the name of a shipped scenario.
        directory: where its throw-away CA is written.
        clock: the time it lives by.
        seed: makes its ids the same at every start.
        port: where the proxy listens; 0 takes any free port.
        kept: a file with the world that it goes on with, if it is there.

    Raises:
        ScenarioError: there is no such scenario.
    """

    def __init__(
        self,
        scenario: Scenario | str,
        directory: Path,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        port: int = 0,
        kept: Path | None = None,
    ) -> None:
        knobs = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.is_new = kept is None or not kept.exists()
        if kept is None or self.is_new:
            self.world = World(knobs, clock or SystemClock(), seed)
            self.landscape = build(self.world)
        else:
            self.world, self.landscape = load(kept)
        self._directory, self._port = directory, port
        self._gateway = Gateway(self.world, HOSTS[knobs.cloud])
        self._ready, self._stopping = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._proxy: ConnectProxy | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="local-cloud", daemon=True)
        self.environment: dict[str, str] = {}
        self.admin_url = ""

    @property
    def vnet_ids(self) -> list[str]:
        """The ids of the VNets in the customer's first subscription."""
        return [vnet.id for vnet in self.world.vnets.values() if vnet.subscription_id == self.landscape.subscription]

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far."""
        with self._gateway.lock:
            return list(self._gateway.requests)

    @property
    def connections(self) -> list[str]:
        """The host of every connection that was made so far."""
        return list(self._proxy.hosts) if self._proxy is not None else []

    def before_each_request(self, witness: Callable[[Request], None]) -> None:
        """Let `witness` see every request before it is answered; what it does to the world has happened by then."""
        with self._gateway.lock:
            self._gateway.witnesses.append(witness)

    def after_each_answer(self, listener: Callable[[str, Request, Response], None]) -> None:
        """Let `listener` hear which service was asked what, and what it answers."""
        with self._gateway.lock:
            self._gateway.listeners.append(listener)

    def keep(self, path: Path) -> None:
        """Write the world to a file, from which another cloud goes on."""
        with self._gateway.lock:
            save(path, self.world, self.landscape)

    def start(self) -> None:
        """Serve, on a thread of its own; returns once it does."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Stop serving."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        authority = certificate_authority()
        bundle = self._directory / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        hosts = self._gateway.hosts
        server, tls = listen(), self._certificate(authority, hosts.certificate_names)
        app = Starlette(routes=[Route("/{rest:path}", self._gateway.serve, methods=_METHODS)])
        front = EmbeddedServer(
            uvicorn.Config(
                app,
                http=Connections,
                ssl_keyfile=tls,
                ssl_certfile=tls,
                log_level="warning",
                access_log=False,
                date_header=False,
                lifespan="off",
                timeout_keep_alive=120,
            )
        )
        admin_socket = listen()
        admin = EmbeddedServer(
            uvicorn.Config(admin_app(self._gateway), log_level="warning", access_log=False, lifespan="off")
        )
        self._proxy = proxy = ConnectProxy(
            port_of(server),
            lambda host: self._gateway.service(host) is not None,
            # TCP takes one round trip, TLS 1.3 another.
            lambda: 2 * self.world.knobs.round_trip,
        )
        port = await proxy.start(self._port)
        serving = [
            asyncio.create_task(front.serve(sockets=[server])),
            asyncio.create_task(admin.serve(sockets=[admin_socket])),
        ]
        while not (front.started and admin.started):
            await asyncio.sleep(0.005)
        tls.unlink()
        self.admin_url = f"http://127.0.0.1:{port_of(admin_socket)}"
        self.environment = self._variables(port, bundle)
        self._ready.set()
        await self._stopping.wait()
        await proxy.stop()
        for running in (front, admin):
            running.should_exit = running.force_exit = True
        await asyncio.gather(*serving)

    def _certificate(self, authority: trustme.CA, names: list[str]) -> Path:
        """The server's key and certificate in one file, which is there only until the server has read it."""
        path = self._directory / "server.pem"
        path.touch(mode=0o600)
        authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def _variables(self, port: int, bundle: Path) -> dict[str, str]:
        found, authority = self.landscape, str(bundle.resolve())
        application = found.automation
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": authority,
            "SSL_CERT_FILE": authority,
            "AIVEN_CA_CERT": authority,
            "AZURE_TENANT_ID": found.customer_tenant,
            "AZURE_CLIENT_ID": application.app_id,
            "AZURE_CLIENT_SECRET": found.secret,
            "AZURE_SUBSCRIPTION_ID": found.subscription,
            "RESOURCE_GROUP": GROUP,
            "VNET_NAME": FIRST_VNET,
            "KEY_VAULT_NAME": found.vault,
            "KEY_VAULT_ID": self.world.vaults[found.vault].id,
            "REGISTRY_TABLE_ENDPOINT": self._gateway.hosts.table_endpoint(found.storage_account),
            "REGISTRY_STORAGE_ACCOUNT_ID": self.world.storage_accounts[found.storage_account].id,
            "AIVEN_AUTH_TOKEN": self.world.aiven_token,
            "AIVEN_PROJECT": PROJECT,
            **{f"AIVEN_{vpc.kind.upper()}_VPC_ID": vpc.id for vpc in self._first_vpcs()},
            "AIVEN_ORGANIZATION_ID": ORGANIZATION,
            "PLATFORM_TENANT_ID": found.platform_tenant,
            "LOCAL_CLOUD_ADMIN_URL": self.admin_url,
            "IDENTITY_ENDPOINT": f"{self.admin_url}{IDENTITY_PATH}",
            "IDENTITY_HEADER": self.world.identity_header,
            "MANAGED_IDENTITY_CLIENT_ID": found.managed_identity.app_id,
        }

    def _first_vpcs(self) -> list[AivenVpc]:
        """The first VPC of each kind that there is."""
        named = [vpc.named for vpc in self.world.vpcs.values()]
        return [next(one for one in named if one.kind == kind) for kind in sorted({one.kind for one in named})]

    def write_environment(self, path: Path) -> str:
        """Write the variables as lines for a shell to `eval`, readable by the owner only; returns the lines."""
        lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in self.environment.items())
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w") as file:
            file.write(lines)
        return lines
