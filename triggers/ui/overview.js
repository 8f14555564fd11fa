// The status of all peerings: counts with links to the list, who has to act, what expires, the last check of all.

import { Actions } from "./actions.js";
import { useKnown, useWatched } from "./api.js";
import { html } from "./lib.js";
import { capital, duration, Failed, Heading, lastPart, Loading, Moment, Paused, words } from "./parts.js";
import { address } from "./route.js";

const OF_ALL = ["check_peerings", "pause_peerings", "resume_peerings"];

export function Overview() {
  const { data, error, look } = useWatched("overview");
  const { data: catalogue } = useKnown("problems");
  const title = (code) => catalogue?.problems.find((one) => one.code === code)?.title ?? code;
  if (!data) return html`<${Heading} title="Overview">Overview<//>${error ? html`<${Failed} error=${error} />` : html`<${Loading} />`}`;
  const { paused_all, last_sweep } = data;
  return html`
    <${Heading} title="Overview">Overview<//>
    <${Failed} error=${error} />
    <p>
      <a href="#/peerings">${data.peerings.toLocaleString("en")} peerings</a>${data.paused > 0 && html`,
      <a href=${address("/peerings", { paused: "true" })}>${data.paused} paused</a>`}.
      ${last_sweep ? html` Last check of all: <${Moment} at=${last_sweep.began} />${last_sweep.seconds !== undefined &&
        `, took ${duration(last_sweep.seconds)}`}.` : " No check of all has finished yet."}
    </p>
    <${Paused} what="Checks and repairs of all peerings" pause=${paused_all} />
    <${Actions} names=${paused_all ? OF_ALL : OF_ALL.slice(0, 2)} about="all peerings" all onDone=${look} />
    <div class="columns">
      <${Counts} title="By verdict" name="verdict" counts=${data.verdicts} />
      <${Counts} title="By state" name="state" counts=${data.states} />
      <${Counts} title="By problem" name="problem" counts=${data.problems} label=${title} />
    </div>
    <div class="columns">
      <${Waits} waits=${data.waits_for} counts=${data.fixers} />
      <section aria-labelledby="expires">
        <h2 id="expires">Expires soon</h2>
        ${data.expires_soon.length === 0 && html`<p class="quiet">No credential expires within 30 days.</p>`}
        <ul class="plain">${data.expires_soon.map((one) => html`<li>
          <a href=${`#/peerings/${one.id}`}>${lastPart(one.vnet_id)}</a> <span class="quiet"><${Moment} at=${one.expires} isAhead /></span>
        </li>`)}</ul>
      </section>
    </div>`;
}

function Counts({ title, name, counts, label = words }) {
  const all = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return html`<section aria-labelledby=${name}>
    <h2 id=${name}>${title}</h2>
    ${all.length === 0 && html`<p class="quiet">None.</p>`}
    <ul class="counts">${all.map(([value, count]) => html`<li>
      <a href=${address("/peerings", { [name]: value })} data-kind=${name} data-is=${value}>
        <span>${label(value)}</span> <strong>${count.toLocaleString("en")}</strong>
      </a>
    </li>`)}</ul>
  </section>`;
}

function Waits({ waits, counts }) {
  const all = Object.entries(waits);
  return html`<section aria-labelledby="waits">
    <h2 id="waits">Who has to act</h2>
    ${all.length === 0 && html`<p class="quiet">No one has to act.</p>`}
    ${all.map(([fixer, some]) => html`
      <h3>${capital(fixer)} <span class="quiet">${counts[fixer]}</span></h3>
      <ul class="plain">${some.slice(0, 10).map((one) => html`<li>
        <a href=${`#/peerings/${one.id}`}>${lastPart(one.vnet_id)}</a> ${one.problem.title}
        <span class="quiet"> <${Moment} at=${one.problem.since} /></span>
      </li>`)}</ul>
      ${some.length > 10 && html`<p class="quiet">and ${counts[fixer] - 10} more</p>`}`)}
  </section>`;
}
