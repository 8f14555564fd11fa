// Connections that this app does not manage; each can be adopted, with the plan shown first.

import { useWatched } from "./api.js";
import { html } from "./lib.js";
import { Badge, Failed, Heading, Loading } from "./parts.js";
import { address } from "./route.js";

const OF_VPC = ["project", "project_vpc_id", "organization_id", "organization_vpc_id"];

/** The fields of a request that adopts a connection. */
function adoption(one) {
  const vpc = Object.fromEntries(OF_VPC.filter((name) => one[name]).map((name) => [name, one[name]]));
  return { ...vpc, vnet_id: one.vnet_id, adopt: "true" };
}

export function Unmanaged() {
  const { data, error } = useWatched("unmanaged");
  return html`<${Heading} title="Unmanaged connections">Unmanaged connections<//>
    <p class="quiet">Connections of the same VPCs that this app does not manage, as of the last check of all peerings.</p>
    <${Failed} error=${error} />
    ${!data && !error && html`<${Loading} />`}
    ${data?.unmanaged.length === 0 && html`<p>There are none.</p>`}
    <ul class="cards">${data?.unmanaged.map((one) => html`<li>
      <h2>${one.vnet} <${Badge} kind="connection" is=${one.state} /></h2>
      <p class="quiet">${one.project ?? one.organization_id} · ${one.resource_group} · ${one.account}</p>
      ${one.message && html`<p>${one.message}</p>`}
      ${one.vnet_id && html`<a class="button" href=${address("/new", adoption(one))}>Adopt ${one.vnet}</a>`}
    </li>`)}</ul>`;
}
