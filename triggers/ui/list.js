// The list: filtered, searched and sorted in the browser; only the visible rows are drawn.

import { useKnown, useOperations } from "./api.js";
import { DEFAULT_ORDER, filtered, isFilter } from "./filters.js";
import { html, useEffect, useMemo, useRef, useState } from "./lib.js";
import { Badge, Failed, Heading, Moment, Paused, words } from "./parts.js";
import { address, go, useHere } from "./route.js";
import { usePeerings } from "./summaries.js";

// The number of rows that are drawn above and below the visible ones.
const BEYOND = 6;
const COLUMNS = [
  ["vnet_id", "VNet"],
  ["project", "Aiven"],
  ["state", "State"],
  ["verdict", "Verdict"],
  [null, "Problems"],
  ["expires", "Expires"],
  ["changed", "Changed"],
];
// On a phone, which shows no heads of columns, the sort order is a field.
const ORDERS = COLUMNS.filter(([name]) => name).flatMap(([name, title]) => [[name, `${title} ▲`], [`-${name}`, `${title} ▼`]]);
// The parameters that have a field here; the API's others also apply, each shown with a button that removes it.
const FIELDS = new Set(["state", "verdict", "problem", "search", "sort"]);

/** The values of a parameter, as the OpenAPI document lists them. */
const choices = (operations, name) =>
  operations?.list_peerings.parameters.find((one) => one.name === name)?.schema.enum ?? [];

export function List() {
  const { query } = useHere();
  const { all, isComplete, error, paused_all } = usePeerings();
  const shown = useMemo(() => filtered(all, query), [all, query]);
  const set = (name, value) => go(address("/peerings", { ...query, [name]: value }), { replace: true });
  return html`
    <${Heading} title="Peerings">Peerings<//>
    <${Paused} what="Checks and repairs of all peerings" pause=${paused_all} />
    <${Filters} query=${query} set=${set} all=${all} />
    <p class="quiet" role="status">
      ${shown.length.toLocaleString("en")} of ${all.length.toLocaleString("en")} peerings${isComplete ? "" : ", loading…"}
    </p>
    <${Failed} error=${error} />
    <${Rows} rows=${shown} sort=${query.sort ?? DEFAULT_ORDER} set=${set} />`;
}

function Filters({ query, set, all }) {
  const operations = useOperations();
  const { data: catalogue } = useKnown("problems");
  const codes = useMemo(() => new Set(all.flatMap((one) => one.codes)), [all]);
  const titles = (catalogue?.problems ?? []).filter((one) => codes.has(one.code) || one.code === query.problem);
  const others = Object.entries(query).filter(([name]) => isFilter(name) && !FIELDS.has(name));
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <label>Search <input type="search" value=${query.search ?? ""} onInput=${(event) => set("search", event.target.value)} /></label>
    <${Choice} name="state" query=${query} set=${set} values=${choices(operations, "state").map((one) => [one, words(one)])} />
    <${Choice} name="verdict" query=${query} set=${set} values=${choices(operations, "verdict").map((one) => [one, one])} />
    <${Choice} name="problem" query=${query} set=${set} values=${titles.map((one) => [one.code, one.title])} />
    <${Choice} name="sort" query=${{ sort: DEFAULT_ORDER, ...query }} set=${set} values=${ORDERS} isRequired />
    ${others.map(([name, value]) => html`<button type="button" onClick=${() => set(name, "")}>${words(name)}: ${value} ✕</button>`)}
  </form>`;
}

const Choice = ({ name, query, set, values, isRequired = false }) => html`<label data-name=${name}>${words(name)}
  <select value=${query[name] ?? ""} onChange=${(event) => set(name, event.target.value)}>
    ${!isRequired && html`<option value="">any</option>`}
    ${values.map(([value, title]) => html`<option value=${value} selected=${value === query[name]}>${title}</option>`)}
  </select>
</label>`;

/** The range of visible rows; the style sheet defines the height of a row. */
function useWindow(count) {
  const box = useRef();
  const [seen, setSeen] = useState({ first: 0, last: 40, height: 48 });
  useEffect(() => {
    const measure = () => {
      const height = parseFloat(getComputedStyle(box.current).getPropertyValue("--row"));
      const first = Math.floor(box.current.scrollTop / height);
      const last = first + Math.ceil(box.current.clientHeight / height);
      setSeen((now) => (now.first === first && now.last === last && now.height === height ? now : { first, last, height }));
    };
    measure();
    const sized = new ResizeObserver(measure);
    sized.observe(box.current);
    box.current.addEventListener("scroll", measure, { passive: true });
    const listening = box.current;
    return () => {
      sized.disconnect();
      listening.removeEventListener("scroll", measure);
    };
  }, [count === 0]);
  return [box, seen];
}

function Rows({ rows, sort, set }) {
  const [box, { first, last, height }] = useWindow(rows.length);
  const from = Math.max(0, Math.min(first, rows.length - (last - first)) - BEYOND);
  const drawn = rows.slice(from, last + BEYOND);
  return html`<div class="rows" ref=${box} role="region" aria-label="Peerings" tabindex="0">
    <div role="table" aria-label="Peerings" aria-rowcount=${rows.length + 1}>
      <div role="row" class="head" aria-rowindex="1">
        ${COLUMNS.map(([name, title]) => html`<${ColumnHead} name=${name} title=${title} sort=${sort} set=${set} />`)}
      </div>
      <div role="rowgroup" class="body" style=${{ height: `${rows.length * height}px` }}>
        ${drawn.map((row, index) => html`<${Row} key=${row.id} row=${row} at=${from + index} height=${height} />`)}
      </div>
    </div>
  </div>`;
}

function ColumnHead({ name, title, sort, set }) {
  if (name === null) return html`<span role="columnheader">${title}</span>`;
  const is_up = sort === name;
  const is_down = sort === `-${name}`;
  return html`<span role="columnheader" aria-sort=${is_up ? "ascending" : is_down ? "descending" : undefined}>
    <button type="button" onClick=${() => set("sort", is_up ? `-${name}` : name)}>${title}${is_up ? " ▲" : is_down ? " ▼" : ""}</button>
  </span>`;
}

function Row({ row, at, height }) {
  const [worst, ...others] = row.problems;
  return html`<div role="row" class="row" aria-rowindex=${at + 2} style=${{ top: `${at * height}px` }}>
    <span role="cell"><a href=${`#/peerings/${row.id}`} title=${row.vnet_id}>${row.vnet}</a></span>
    <span role="cell" title=${row.project_vpc_id ?? row.organization_vpc_id}>${row.owner}</span>
    <span role="cell"><${Badge} kind="state" is=${row.state} /></span>
    <span role="cell"><${Badge} kind="verdict" is=${row.verdict} />${"paused_until" in row && html` <span class="badge">paused</span>`}</span>
    <span role="cell" class="why" title=${row.problems.map((one) => one.title).join("\n")}>
      ${worst?.title}${others.length > 0 && ` and ${others.length} more`}
    </span>
    <span role="cell">${row.expires && html`<${Moment} at=${row.expires} isAhead />`}</span>
    <span role="cell"><${Moment} at=${row.changed} /></span>
  </div>`;
}
