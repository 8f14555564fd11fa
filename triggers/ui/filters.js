// Filters and sort order of the list. The names are those of the API's parameters.

export const DEFAULT_ORDER = "-changed";

/** Whether two texts are the same, as the API compares them. */
const same = (one, other) => one?.toLowerCase() === other.toLowerCase();

/** Whether a summary has all labels of a filter such as `owner=network,ticket`. */
function hasLabels(summary, wanted) {
  return wanted.split(",").every((one) => {
    const [name, ...value] = one.trim().split("=");
    return name in summary.labels && (value.length === 0 || same(summary.labels[name], value.join("=")));
  });
}

const has = (name) => (summary, wanted) => same(summary[name], wanted);
const TESTS = {
  state: has("state"),
  verdict: has("verdict"),
  operation: has("operation"),
  project: has("project"),
  project_vpc_id: has("project_vpc_id"),
  organization_id: has("organization_id"),
  organization_vpc_id: has("organization_vpc_id"),
  requested_by: has("requested_by"),
  vnet_id: has("vnet_id"),
  changedSince: (summary, wanted) => !(Date.parse(summary.changed) < Date.parse(wanted)),
  vnet: (summary, wanted) => summary.vnet.toLowerCase().includes(wanted.toLowerCase()),
  subscription_id: (summary, wanted) => summary.vnet_id.toLowerCase().startsWith(`/subscriptions/${wanted.toLowerCase()}/`),
  problem: (summary, wanted) => summary.codes.includes(wanted),
  label: hasLabels,
  paused: (summary, wanted) => ("paused_until" in summary) === (wanted === "true"),
  search: (summary, wanted) => summary.text.includes(wanted.toLowerCase()),
};

/** Whether a parameter of the address is a filter. */
export const isFilter = (name) => name in TESTS;

/** The summaries that match a query, in its order. */
export function filtered(summaries, query) {
  const wanted = Object.entries(TESTS).filter(([name]) => query[name]);
  const found = summaries.filter((one) => wanted.every(([name, test]) => test(one, query[name])));
  const sort = query.sort ?? DEFAULT_ORDER;
  const name = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  const value = (one) => String((name === "vnet_id" ? one.vnet : one[name]) ?? "").toLowerCase();
  const keyed = found.map((one) => [value(one), one]);
  keyed.sort(([a, one], [b, other]) => sign * (a < b ? -1 : a > b ? 1 : one.id < other.id ? -1 : 1));
  return keyed.map(([, one]) => one);
}
