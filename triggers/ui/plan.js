// A plan of the API: what would be created, changed or removed, and the obstacles.

import { html } from "./lib.js";
import { Badge, Problem, prose, words } from "./parts.js";

/** A value of an option; labels are listed as `name=value`. */
function shown(value) {
  if (value === null || value === "") return html`<span class="quiet">none</span>`;
  if (typeof value !== "object") return String(value);
  const parts = Array.isArray(value) ? value : Object.entries(value).map(([name, one]) => `${name}=${one}`);
  return shown(parts.join(", "));
}

export function Plan({ plan }) {
  const { result, steps, changes = [], obstacles, waits, warnings, facts = {} } = plan;
  return html`<section class="plan" aria-label="The plan">
    <h2>The plan: <${Badge} kind="result" is=${result} /></h2>
    ${"hourly_price_usd" in facts && html`<p>Price: ${facts.hourly_price_usd} USD an hour</p>`}
    ${obstacles.map((one) => html`<${Problem} problem=${one} />`)}
    ${waits.length > 0 && html`<p>The run would wait for these problems, which may clear without action:</p>`}
    ${waits.map((one) => html`<${Problem} problem=${one} />`)}
    ${warnings.length > 0 && html`<ul class="warnings">${warnings.map((one) => html`<li>${prose(one)}</li>`)}</ul>`}
    ${changes.length > 0 && html`<div class="wide" tabindex="0" role="region" aria-label="Changes"><table>
      <thead><tr><th scope="col">Option</th><th scope="col">Current</th><th scope="col">New</th></tr></thead>
      <tbody>${changes.map((one) => html`<tr><th scope="row">${words(one.option)}</th><td>${shown(one.old)}</td>
        <td>${one.refused ? html`<em>${prose(one.refused)}</em>` : shown(one.new)}</td></tr>`)}</tbody>
    </table></div>`}
    ${steps.length > 0 && html`<ul class="planned">${steps.map((one) => html`<li>
      <${Badge} kind="action" is=${one.action} />
      <span><strong>${words(one.step)}</strong>
      ${(one.name ?? one.id) && html` <code>${one.name ?? one.id}</code>`}${one.why && html` <span class="quiet">${one.why}</span>`}</span>
    </li>`)}</ul>`}
  </section>`;
}
