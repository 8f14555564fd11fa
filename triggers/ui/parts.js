// Small parts that several views share: states, problems, times, names with a copy button.

import { html, useEffect, useRef, useState } from "./lib.js";

const SPELLED = { vnet: "VNet", vpc: "VPC", cidr: "CIDR", cidrs: "CIDRs" };

/** A name of the API as words: `vnet_peering` becomes "VNet peering". */
export const words = (name) => String(name).replace(/[_-]+/g, " ").replace(/\w+/g, (one) => SPELLED[one] ?? one);
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
/** The last part of an ARM id: the VNet's own name. */
export const lastPart = (id) => String(id ?? "").split("/").pop();

/** A state or verdict as the API names it; `data-is` gives it its colour. */
export const Badge = ({ is, kind }) => is && html`<span class="badge" data-kind=${kind} data-is=${is}>${words(is)}</span>`;

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const ABSOLUTE = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

function relative(seconds) {
  const [unit, length] = UNITS.find(([, one]) => Math.abs(seconds) >= one) ?? UNITS.at(-1);
  return RELATIVE.format(Math.round(seconds / length), unit);
}

/**
 * A time relative to now, with the absolute time as its tooltip. Without `isAhead` it is in the past, and is never shown as
 * in the future, even if the clocks of app and browser differ.
 */
export function Moment({ at, isAhead = false }) {
  const [, tick] = useState(0);
  const moment = new Date(at);
  const seconds = Math.min((moment - Date.now()) / 1000, isAhead ? Infinity : 0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), Math.abs(seconds) < 120 ? 1000 : 30000);
    return () => clearInterval(timer);
  }, [at]);
  return html`<time datetime=${at} title=${ABSOLUTE.format(moment)}>${relative(seconds)}</time>`;
}

/** A duration in seconds, as a short text. */
export function duration(seconds) {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A pause, if there is one: why, by whom, since when and until when. */
export const Paused = ({ what, pause }) => pause && html`<p class="notice">${what} are paused: ${pause.why} (${pause.by.name},
  <${Moment} at=${pause.at} />${pause.until && html`, until <${Moment} at=${pause.until} isAhead />`})</p>`;

/** A button that copies a text. */
export function Copy({ text, name }) {
  const [is_copied, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    set(true);
    setTimeout(() => set(false), 1500);
  };
  return html`<button type="button" class="copy" onClick=${copy} aria-label=${`Copy ${name}`}>
    ${is_copied ? "Copied" : "Copy"}
  </button>`;
}

/** A text of the API, with code in backticks. */
export const prose = (text) => text.split("`").map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

/** A problem document: what happened, what it means, the remedy, and who can fix it. */
export function Problem({ problem, children }) {
  if (!problem) return null;
  const { title, detail, meaning, remedy, fixable_by, code, since, errors = [], causes = [], also = [], repaired } = problem;
  return html`<section class="problem" data-code=${code}>
    <strong class="title">${title}</strong>
    ${detail && html`<p>${prose(detail)}</p>`}
    ${errors.length > 0 && html`<ul>${errors.map((one) => html`<li><code>${one.field}</code> ${one.rule}</li>`)}</ul>`}
    ${meaning && html`<p class="quiet">${prose(meaning)}</p>`}
    ${remedy && html`<p><strong>Remedy</strong> ${prose(remedy)}</p>`}
    <p class="quiet">
      ${code && html`<code>${code}</code>`}${fixable_by && html` · can be fixed by ${fixable_by}`}
      ${since && html` · since <${Moment} at=${since} />`}${repaired && html` · repair attempted <${Moment} at=${repaired} />`}
    </p>
    ${[...causes, ...also].map((one) => html`<${Problem} problem=${one} />`)}
    ${children}
  </section>`;
}

/** The error that kept a view from its data, if any. */
export const Failed = ({ error }) => error && html`<div role="alert"><${Problem} problem=${error.problem ?? { title: String(error) }} /></div>`;

export const Loading = () => html`<p class="quiet" role="status">Loading…</p>`;

/** The heading of a view; it takes the focus, so that a screen reader announces the view. */
export function Heading({ children, title }) {
  const heading = useRef();
  useEffect(() => {
    document.title = `${title} · Peerings`;
    heading.current.focus({ preventScroll: true });
  }, [title]);
  return html`<h1 ref=${heading} tabindex="-1">${children}</h1>`;
}
