// Reads {"tables": {name: {column: type}}, "queries": {name: text}}, and says what Kusto's own language service finds
// wrong with each query, once it is parsed and bound to the tables, and what its result has:
// {name: {"said": [message, ...], "columns": {name: type}}}.

const { readFileSync } = require("node:fs");
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { Symbols, GlobalState, KustoCode } = Kusto.Language;

function table(name, columns) {
  const schema = Object.entries(columns).map(([column, type]) => `${column}: ${type}`).join(", ");
  return new Symbols.TableSymbol.$ctor7(name, `(${schema})`, "");
}

const given = JSON.parse(readFileSync(0, "utf8"));
const tables = Object.entries(given.tables).map(([name, columns]) => table(name, columns));
const database = new Symbols.DatabaseSymbol.ctor("workspace", tables);
const globals = GlobalState.Default.WithDatabase(database);

const found = {};
for (const [name, query] of Object.entries(given.queries)) {
  const code = KustoCode.ParseAndAnalyze(query, globals);
  const diagnostics = code.GetDiagnostics();
  const said = [];
  for (let at = 0; at < diagnostics.Count; at += 1) {
    const one = diagnostics.getItem(at);
    said.push(`${one.Severity}: ${one.Message} (at ${one.Start})`);
  }
  const columns = {};
  const made = code.ResultType?.Columns;
  for (let at = 0; at < (made?.Count ?? 0); at += 1) {
    columns[made.getItem(at).Name] = made.getItem(at).Type.Name;
  }
  found[name] = { said, columns };
}
process.stdout.write(JSON.stringify(found));
