// The operations of the HTTP API. The full reference is a page of its own, which a browser requests without the key.

import { hasKey, useOperations } from "./api.js";
import { html } from "./lib.js";
import { capital, Heading, Loading, prose } from "./parts.js";

export function Reference() {
  const operations = useOperations();
  return html`<${Heading} title="The HTTP API">The HTTP API<//>
    <${Complete} />
    ${operations ? html`<${Operations} all=${Object.values(operations)} />` : html`<${Loading} />`}`;
}

/** Where the full reference is. */
function Complete() {
  const address = new URL("docs", location.href).href;
  if (!hasKey()) return html`<p>The <a href="docs">full reference</a> has every parameter, response and problem.</p>`;
  return html`<p>The full reference has every parameter, response and problem. It requires the function key:</p>
    <p><code>curl -H "x-functions-key: $KEY" ${address} -o reference.html</code></p>`;
}

const Operations = ({ all }) => html`<div class="wide" tabindex="0" role="region" aria-label="Operations"><table>
  <thead><tr>${["Operation", "Purpose", "Role"].map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
  <tbody>${all.map((one) => html`<tr>
    <th scope="row"><code>${one.method} /api/${one.path}</code></th>
    <td>${prose(capital(one.summary))}.</td><td>${one["x-role"]}</td>
  </tr>`)}</tbody>
</table></div>`;
