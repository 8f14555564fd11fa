// The steps of a run in the order in which they can begin: steps side by side do not depend on each other.

import { html } from "./lib.js";
import { duration, Moment } from "./parts.js";

/** The steps in stages: each step is in the stage after the last of its predecessors. */
function stages(steps) {
  const after = Object.fromEntries(steps.map((one) => [one.name, one.after ?? []]));
  const depths = {};
  const depth = (name) => (depths[name] ??= 1 + Math.max(-1, ...after[name].map(depth)));
  const found = [];
  for (const step of steps) (found[depth(step.name)] ??= []).push(step);
  return found;
}

export function Timeline({ steps, operation, isAtRest }) {
  const needed = steps.filter((one) => one.state !== "not needed");
  const done = needed.filter((one) => one.state === "done").length;
  // Without a current run, steps that have all not begun mean that none was recorded.
  const is_kept = !isAtRest || needed.some((one) => one.state !== "pending");
  return html`<section aria-labelledby="steps">
    <h2 id="steps">Steps of the last run <span class="quiet">${operation}${is_kept && `, ${done} of ${needed.length}`}</span></h2>
    ${is_kept ? html`<${Stages} steps=${steps} />` : html`<p class="quiet">No steps are recorded.</p>`}
  </section>`;
}

function Stages({ steps }) {
  return html`
    <ol class="stages">${stages(steps).map((some) => html`<li><ul>${some.map((one) => html`<${Step} key=${one.name} step=${one} />`)}</ul></li>`)}</ol>`;
}

function Step({ step }) {
  const { title, state, article_step, article_title, seconds, tries, problem, waiting_since, next_look } = step;
  const facts = [
    seconds !== undefined && duration(seconds),
    waiting_since && html`since <${Moment} at=${waiting_since} />`,
    tries > 1 && `${tries} tries`,
    next_look && html`next poll <${Moment} at=${next_look} isAhead />`,
  ].filter(Boolean);
  return html`<li class="step" data-is=${state}>
    <strong title=${`${article_step}. ${article_title}`}>${title}</strong>
    <span class="quiet">${state}${facts.map((one) => html` · ${one}`)}</span>
    ${problem && html`<span class="why" title=${problem.detail}>${problem.title}</span>`}
  </li>`;
}
