// Filters and sort order of the list. The names are those of the API's parameters.

/** Whether a summary has all labels of a filter such as `owner=network,ticket`. */
function hasLabels(summary, wanted) {
  return wanted.split(",").every((one) => {
    const [name, ...value] = one.trim().split("=");
    return name in summary.labels && (value.length === 0 || summary.labels[name] === value.join("="));
  });
}

const same = (name) => (summary, wanted) => summary[name]?.toLowerCase() === wanted.toLowerCase();
const TESTS = {
  state: same("state"),
  verdict: same("verdict"),
  operation: same("operation"),
  project: same("project"),
  project_vpc_id: same("project_vpc_id"),
  organization_id: same("organization_id"),
  organization_vpc_id: same("organization_vpc_id"),
  requested_by: same("requested_by"),
  vnet_id: same("vnet_id"),
  vnet: (summary, wanted) => summary.vnet.toLowerCase().includes(wanted.toLowerCase()),
  subscription_id: (summary, wanted) => summary.vnet_id.toLowerCase().startsWith(`/subscriptions/${wanted.toLowerCase()}/`),
  problem: (summary, wanted) => summary.codes.includes(wanted),
  label: hasLabels,
  paused: (summary, wanted) => ("paused_until" in summary) === (wanted === "true"),
  search: (summary, wanted) => summary.text.includes(wanted.toLowerCase()),
};

/** The summaries that match a query, in its order. */
export function filtered(summaries, query) {
  const wanted = Object.entries(TESTS).filter(([name]) => query[name]);
  const found = summaries.filter((one) => wanted.every(([name, test]) => test(one, query[name])));
  const sort = query.sort ?? "-changed";
  const name = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  const value = (one) => String((name === "vnet_id" ? one.vnet : one[name]) ?? "").toLowerCase();
  const keyed = found.map((one) => [value(one), one]);
  keyed.sort(([a, one], [b, other]) => sign * (a < b ? -1 : a > b ? 1 : one.id < other.id ? -1 : 1));
  return keyed.map(([, one]) => one);
}
