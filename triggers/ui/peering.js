// One peering: its status, problems, steps, drawing, facts and history, and its actions.

import { Actions } from "./actions.js";
import { useKnown, useWatched } from "./api.js";
import { Drawing } from "./drawing.js";
import { html, useEffect } from "./lib.js";
import { Badge, Copy, Failed, Heading, lastPart, Loading, Moment, Paused, Problem, words } from "./parts.js";
import { Timeline } from "./timeline.js";

/** The operations that are useful now; the API decides whether they are allowed. */
function possible(status) {
  // A removed peering has a last run, but no record.
  if (!status.requested) return [];
  return ["check_peering", "rotate_peering", "change_peering", status.phase && "cancel_run",
    status.paused ? "resume_peering" : "pause_peering", "remove_peering"].filter(Boolean);
}

export function Peering({ id }) {
  const { data: status, etag, error, look } = useWatched(`peerings/${id}`);
  if (!status) return html`<${Heading} title="Peering">Peering<//>${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}`;
  const { peering, health, problem, paused, paused_all, labels = {}, facts } = status;
  const vnet = lastPart(peering.vnet_id);
  return html`
    <${Heading} title=${vnet}>${vnet}<//>
    <p role="status" class="stand"><${Badge} kind="state" is=${status.state} />${status.checking && html` <${Badge} kind="state" is="checking" />`}
      ${health && html` <${Badge} kind="verdict" is=${health.verdict} />`}</p>
    <p class="quiet">
      ${peering.project ?? peering.organization_id} · <code>${id}</code> <${Copy} text=${id} name="id" />
      ${status.requested_by && html`<br />Requested by ${status.requested_by.name} <${Moment} at=${status.requested} />`}
      ${status.connected && html` · connected <${Moment} at=${status.connected} />`}
      ${health && html` · ${health.verdict} since <${Moment} at=${health.since} />, checked <${Moment} at=${health.checked} />`}
    </p>
    ${Object.keys(labels).length > 0 && html`<p>${Object.entries(labels).map(([name, value]) => html`<span class="badge">${name}=${value}</span> `)}</p>`}
    ${status.note && html`<p class="note">${status.note}</p>`}
    <${Paused} what="Checks and repairs" pause=${paused} />
    <${Paused} what="Checks and repairs of all peerings" pause=${paused_all} />
    <${Failed} error=${error} />
    <${Actions} names=${possible(status)} about=${vnet} id=${id} etag=${etag} now=${{ ...peering, labels, note: status.note }} typed=${vnet} onDone=${look} />
    <${Problems} problem=${problem} health=${health} />
    <div class="columns split" data-is=${status.phase ? "busy" : "rest"}>
      <${Timeline} steps=${status.steps} operation=${status.operation} isAtRest=${!status.phase} />
      <div>
        <${Drawing} status=${status} />
        <${Facts} facts=${facts} links=${status.links ?? []} />
      </div>
    </div>
    <${History} id=${id} updated=${`${status.updated} ${status.run}`} verdicts=${status.verdicts ?? []} />`;
}

function Problems({ problem, health }) {
  const found = health?.problems ?? [];
  if (!problem && found.length === 0) return null;
  return html`<section aria-labelledby="problems">
    <h2 id="problems">Problems</h2>
    <${Problem} problem=${problem} />
    ${found.filter((one) => one.code !== problem?.code).map((one) => html`<${Problem} problem=${one} />`)}
  </section>`;
}

function Facts({ facts, links }) {
  const all = Object.entries(facts).filter(([, value]) => value !== null && value !== "" && String(value) !== "");
  if (all.length === 0) return null;
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return html`<section aria-labelledby="facts">
    <h2 id="facts">Facts</h2>
    ${links.length > 0 && html`<ul class="links">${links.map((one) => html`<li><a href=${one.url} target="_blank" rel="noreferrer">${one.title} ↗</a></li>`)}</ul>`}
    <dl class="facts">${all.map(([name, value]) => html`<div>
      <dt>${words(name)}</dt><dd><code>${text(value)}</code> <${Copy} text=${text(value)} name=${words(name)} /></dd>
    </div>`)}</dl>
  </section>`;
}

/** The last changes of the verdict, the newest first. */
function Verdicts({ verdicts }) {
  const { data: catalogue } = useKnown("problems");
  const title = (code) => catalogue?.problems.find((one) => one.code === code)?.title ?? code;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Verdicts"><table>
    <thead><tr>${["Verdict", "Since", "Problems"].map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
    <tbody>${verdicts.toReversed().map((one) => html`<tr key=${one.at}>
      <th scope="row"><${Badge} kind="verdict" is=${one.verdict} /></th>
      <td><${Moment} at=${one.at} /></td><td>${one.codes.map(title).join("; ")}</td>
    </tr>`)}</tbody>
  </table></div>`;
}

function History({ id, updated, verdicts }) {
  const { data, error, look } = useWatched(`peerings/${id}/runs`);
  useEffect(() => { look(); }, [updated]);
  return html`<section aria-labelledby="history">
    <h2 id="history">History</h2>
    <${Failed} error=${error} />
    ${verdicts.length > 0 && html`<${Verdicts} verdicts=${verdicts} />`}
    <div class="wide" tabindex="0" role="region" aria-label="Runs"><table>
      <thead><tr>${["Operation", "Result", "By", "Started", "Problem"].map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
      <tbody>${data?.runs.map((one) => html`<tr key=${one.run}>
        <th scope="row" title=${one.run}>${one.operation}</th>
        <td>${one.state ? html`<${Badge} kind="state" is=${one.state} />` : "in progress"}</td>
        <td>${one.by.name}</td><td><${Moment} at=${one.started} /></td><td>${one.problem?.detail ?? ""}</td>
      </tr>`)}</tbody>
    </table></div>
  </section>`;
}
