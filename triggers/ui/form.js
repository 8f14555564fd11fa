// Forms generated from the schemas of the OpenAPI document: its names, descriptions, choices and defaults.

import { html } from "./lib.js";
import { capital, prose, words } from "./parts.js";

/** A schema with its reference resolved, and without "or null". */
function resolved(schema, schemas) {
  if (schema.$ref) return { ...resolved(schemas[lastName(schema.$ref)], schemas), ...rest(schema) };
  const kinds = schema.anyOf?.filter((one) => one.type !== "null");
  return kinds?.length === 1 ? { ...resolved(kinds[0], schemas), ...rest(schema), isNullable: true } : schema;
}

const lastName = (reference) => reference.split("/").pop();
const rest = ({ $ref, anyOf, ...others }) => others;

/** The fields of an operation's body; the usual ones are those of its example. */
export function fieldsOf(operation) {
  const content = operation.requestBody?.content["application/json"];
  if (!content) return [];
  const schema = resolved(content.schema, operation.schemas);
  const usual = Object.keys(content.example ?? {});
  const fields = Object.entries(schema.properties ?? {}).map(([name, one]) => ({
    name,
    ...resolved(one, operation.schemas),
    isRequired: schema.required?.includes(name) ?? false,
    isUsual: usual.includes(name) || (schema.required?.includes(name) ?? false),
  }));
  return fields.sort((one, other) => other.isUsual - one.isUsual);
}

const LINES = /\n|,/;

function valueOf(field, text) {
  if (field.type === "boolean") return text === "true";
  if (field.type === "integer") return Number(text);
  if (field.type === "array") return text.split(LINES).map((one) => one.trim()).filter(Boolean);
  if (field.type === "object") return Object.fromEntries(text.split(LINES).filter((one) => one.trim()).map(pair));
  return field.format === "date-time" ? new Date(text).toISOString() : text.trim();
}

/** `owner=network` as a name and its value; null, which removes the name, if the value is empty. */
function pair(line) {
  const [name, ...value] = line.split("=");
  return [name.trim(), value.join("=").trim() || null];
}

/** The request body for the texts of a form; empty fields are not sent, and null removes the current value. */
export const bodyOf = (fields, texts) =>
  Object.fromEntries(fields.filter(({ name }) => texts[name] === null || texts[name]?.trim())
    .map((one) => [one.name, texts[one.name] === null ? null : valueOf(one, texts[one.name])]));

/** A value of the API as the text of its field. */
export const textOf = (value) => (Array.isArray(value) ? value.join("\n") : String(value ?? ""));

/** The fields of a form. `now` has the current values, which stay if a field is left empty. */
export function Fields({ fields, texts, set, errors = [], now = {} }) {
  const usual = fields.filter((one) => one.isUsual);
  const others = fields.filter((one) => !one.isUsual);
  const field = (one) => html`<${Field} key=${one.name} field=${one} text=${texts[one.name]} set=${set}
    error=${errors.find(({ field: name }) => name.split(".")[0] === one.name)}
    now=${now[one.name] ?? one.default} isDefault=${(now[one.name] ?? null) === null} />`;
  const is_open = others.some((one) => texts[one.name]) || errors.some((one) => others.some(({ name }) => name === one.field));
  return html`${usual.map(field)}
    ${others.length > 0 && html`<details open=${is_open}><summary>${usual.length ? "More" : ""} options</summary>${others.map(field)}</details>`}`;
}

function Field({ field, text, set, error, now, isDefault }) {
  const { name } = field;
  const about = [field.description, hintOf(field), entries(now)].filter(Boolean);
  const notes = [about.length > 0 && `${name}-about`, error && `${name}-error`].filter(Boolean).join(" ");
  const given = {
    id: `field-${name}`,
    name,
    required: field.isRequired,
    "aria-describedby": notes || undefined,
    "aria-invalid": error ? "true" : undefined,
    disabled: text === null,
    onInput: (event) => set(name, event.target.value),
  };
  return html`<div class="field">
    <label for=${given.id}>${capital(words(name))}</label>
    <${Control} field=${field} given=${given} text=${text ?? ""} now=${now} isDefault=${isDefault} />
    ${field.isNullable && now && html`<label class="quiet">
      <input type="checkbox" checked=${text === null} onChange=${(event) => set(name, event.target.checked ? null : "")} />
      Remove the ${words(name)}
    </label>`}
    ${about.length > 0 && html`<p class="quiet" id=${`${name}-about`}>${prose(about.join(" "))}</p>`}
    ${error && html`<p class="error" id=${`${name}-error`}>${error.rule}</p>`}
  </div>`;
}

/** How the values of a list or an object are written, and how one is removed. */
function hintOf({ type, patternProperties = {} }) {
  if (type === "array") return "One per line.";
  if (type !== "object") return "";
  const can_go = Object.values(patternProperties).some((one) => one.anyOf?.some(({ type: kind }) => kind === "null"));
  return `One per line: name=value.${can_go ? " To remove one: name= without a value." : ""}`;
}

/** The current values of an object. */
function entries(now) {
  const all = now && typeof now === "object" && !Array.isArray(now) ? Object.entries(now) : [];
  return all.length > 0 ? `Now: ${all.map(([name, value]) => `${name}=${value}`).join(", ")}.` : "";
}

function Control({ field, given, text, now, isDefault }) {
  const choices = field.type === "boolean" ? ["true", "false"] : field.enum;
  if (choices) {
    return html`<select ...${given}>
      <option value="">${now === undefined || now === null ? "not set" : `${now} (${isDefault ? "default" : "unchanged"})`}</option>
      ${choices.map((one) => html`<option value=${one} selected=${one === text}>${one}</option>`)}
    </select>`;
  }
  if (field.type === "array" || field.type === "object") {
    return html`<textarea ...${given} rows="2" value=${text}></textarea>`;
  }
  const kinds = { integer: "number", "date-time": "datetime-local" };
  const type = kinds[field.type] ?? kinds[field.format] ?? "text";
  const hint = now === undefined || now === null || typeof now === "object" ? "" : String(now);
  return html`<input ...${given} type=${type} placeholder=${hint} value=${text} autocomplete="off" spellcheck=${false} />`;
}
