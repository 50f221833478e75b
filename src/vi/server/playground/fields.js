// Generation parameters as the server's JSON schema describes them, and what a setting makes of them.

/** Shown first, where the schema has them; all others follow under "More". */
const FIRST = ["do_sample", "temperature", "top_p", "top_k", "seed"];
const WIDEST_SLIDER = 1e6;

/**
 * The schema's properties as fields: {name, kind, min, max, nullable, fallback, help, isFirst}.
 *
 * defaults: what the model that is asked does where nobody says; the schema's own where that is not known.
 * kind: "number", "integer", "boolean" or "strings"; a property of any other type is left out.
 */
export function readFields(schema, defaults = {}) {
  const all = Object.entries(schema.properties).map(([name, property]) => readField(name, { ...property, ...(name in defaults && { default: defaults[name] }) }));
  const known = all.filter((field) => field.kind !== null);
  const rank = (field) => (field.isFirst ? FIRST.indexOf(field.name) : FIRST.length);
  return known.sort((one, other) => rank(one) - rank(other));
}

function readField(name, property) {
  const options = property.anyOf ?? [property];
  const main = options.find((option) => option.type !== "null") ?? {};
  const isStrings = main.type === "array" && main.items?.type === "string";
  return {
    name,
    kind: isStrings ? "strings" : ["number", "integer", "boolean"].includes(main.type) ? main.type : null,
    min: main.minimum ?? null,
    max: main.maximum ?? null,
    nullable: options.some((option) => option.type === "null"),
    fallback: property.default ?? null,
    help: property.description ?? "",
    isFirst: FIRST.includes(name),
  };
}

export const hasSlider = ({ kind, min, max }) =>
  (kind === "number" || kind === "integer") && min !== null && max !== null && max - min <= WIDEST_SLIDER;

/** The nearest value the field takes; null for text that is no number. */
export function within(field, value) {
  if (value === "" || !Number.isFinite(Number(value))) return null;
  const most = Math.min(field.max ?? Infinity, Number.MAX_SAFE_INTEGER);
  const kept = Math.min(Math.max(Number(value), field.min ?? -most), most);
  return field.kind === "integer" ? Math.round(kept) : kept;
}

/** Whether the field takes this value: for values that come from a link. */
export function takes(field, value) {
  if (value === null) return field.nullable;
  if (field.kind === "boolean") return typeof value === "boolean";
  if (field.kind === "strings") return Array.isArray(value) && value.every((one) => typeof one === "string" && one);
  return typeof value === "number" && within(field, value) === value;
}

/** What a setting sends: its preset's values, and its own over them. */
export const configOf = (setting, presets) => ({ ...presets[setting.preset], ...setting.values });

/** The value a field shows, and whether someone set it: {value, origin: "own" | "preset" | "default"}. */
export function shown(field, setting, presets) {
  if (field.name in setting.values) return { value: setting.values[field.name], origin: "own" };
  const preset = presets[setting.preset] ?? {};
  if (field.name in preset) return { value: preset[field.name], origin: "preset" };
  return { value: field.fallback, origin: "default" };
}

/** Whether the tokens are drawn at random with these values. */
export const samples = (config) => config.do_sample === true && config.temperature !== 0;

/** Why a value does nothing beside the others, or "". */
export function idle(field, config) {
  if (samples(config) || !["temperature", "top_p", "top_k", "seed"].includes(field.name)) return "";
  if (field.name === "temperature" && config.do_sample === true) return "";
  return config.do_sample === true ? "No effect at temperature 0." : "No effect until Do sample is on.";
}
