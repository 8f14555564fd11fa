// The two tenants, the two networks and their connections, coloured by the result of the last check.

import { html } from "./lib.js";
import { lastPart, words } from "./parts.js";

// The number of characters that fit into a box or a line.
const LONGEST = 22;
// A peering's objects in the customer's tenant besides the VNet, in the order of the drawing, each with the fact that names it.
const IDENTITIES = [
  ["application", "application_id"],
  ["user_service_principal", "user_principal_id"],
  ["application_credential", "credential"],
  ["user_role_assignment", "user_role_assignment_id"],
  ["platform_service_principal", "platform_principal_id"],
  ["platform_role_assignment", "platform_role_assignment_id"],
];

const shortened = (text, longest) => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
const Text = ({ x, y, text, is, longest = LONGEST }) =>
  html`<text x=${x} y=${y} class=${is}>${shortened(String(text), longest)}<title>${text}</title></text>`;

/** The status of a part: absent, the result of the last check, or unchecked. */
function colours({ facts, health }) {
  const concerned = new Set((health?.problems ?? []).flatMap((one) => one.concerns ?? []));
  return (name, is_there) =>
    concerned.has(name) ? health.verdict : !is_there ? "absent" : health && health.verdict !== "unknown" ? "healthy" : "unchecked";
}

/** The text for a part: the state that the last run saw, unless the last check found a problem. */
const said_of = (how, state) => (how === "healthy" || how === "unchecked" ? state ?? "unknown" : how);

export function Drawing({ status }) {
  const { facts, peering, health } = status;
  const is = colours(status);
  const vpc = peering.project_vpc_id ?? peering.organization_vpc_id;
  const side = is("vnet_peering", facts.vnet_peering_id);
  const connection = is("peering_connection", facts.connection_state ?? facts.to_network_id);
  const parts = [["vnet", is("vnet", facts.vnet_id)], ["VPC", is("project_vpc", facts.project_network_cidr ?? facts.to_network_id)],
    ["VNet peering", side], ["peering connection", connection],
    ...IDENTITIES.map(([name, fact]) => [words(name), is(name, facts[fact])])];
  const said = parts.map(([name, how]) => `${name}: ${how}`).join("; ");
  return html`<section aria-labelledby="drawing">
    <h2 id="drawing">Networks and identities</h2>
    <svg class="drawing" viewBox="0 0 460 372" role="img" aria-label=${said}>
      <rect class="tenant" x="4" y="4" width="452" height="176" rx="10" />
      <${Text} x="18" y="28" is="name" text="Your tenant" />
      <${Text} x="232" y="28" is="quiet" text=${facts.tenant_id ?? ""} longest=${30} />
      <rect class="box" data-is=${is("vnet", facts.vnet_id)} x="18" y="44" width="190" height="120" rx="8" />
      <${Text} x="32" y="72" is="name" text=${lastPart(peering.vnet_id)} />
      <${Text} x="32" y="94" is="quiet" text="VNet" />
      <${Text} x="32" y="116" is="quiet" text=${peering.vnet_id.split("/")[4] ?? ""} />
      ${IDENTITIES.map(([name, fact], index) => html`<g data-is=${is(name, facts[fact])}>
        <circle class="dot" cx="232" cy=${54 + index * 20} r="5" />
        <${Text} x="246" y=${58.5 + index * 20} is="part" text=${words(name)} longest=${30} />
      </g>`)}
      <path class="link" data-is=${side} d="M84 164 V286"><title>VNet peering</title></path>
      <path class="link" data-is=${connection} d="M144 286 V164"><title>peering connection</title></path>
      <g data-is=${side}><circle class="dot" cx="172" cy="203.5" r="5" /></g>
      <${Text} x="186" y="208" is="part" text=${`VNet peering: ${said_of(side, facts.peering_state)}`} longest=${38} />
      <g data-is=${connection}><circle class="dot" cx="172" cy="227.5" r="5" /></g>
      <${Text} x="186" y="232" is="part" text=${`connection: ${said_of(connection, facts.connection_state ?? facts.requested_connection_state)}`} longest=${38} />
      <rect class="tenant" x="4" y="250" width="452" height="118" rx="10" />
      <${Text} x="230" y="276" is="name" text="Aiven's tenant" />
      <${Text} x="230" y="298" is="quiet" text=${facts.to_tenant_id ?? ""} longest=${30} />
      <rect class="box" data-is=${is("project_vpc", facts.project_network_cidr ?? facts.to_network_id)} x="18" y="286" width="190" height="70" rx="8" />
      <${Text} x="32" y="312" is="name" text=${peering.project ?? peering.organization_id} />
      <${Text} x="32" y="334" is="quiet" text=${facts.project_network_cidr ?? vpc} />
      <${Text} x="230" y="334" is="quiet" text=${facts.cloud_name ?? ""} longest=${30} />
    </svg>
    <p class="legend">${["healthy", "degraded", "broken", "unchecked", "absent"].map((one) => html`<span data-is=${one}>${one}</span>`)}</p>
  </section>`;
}
