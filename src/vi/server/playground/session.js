// What a person has set up on the page, and the link that holds it.
import { takes } from "./fields.js";

export const MOST_SETTINGS = 4;
export const MOST_SEEDS = 10;
const QUESTION = "What objects are visible?";

/** What the page opens with: the likeliest answer beside drawn ones. */
export function firstSession(config, models) {
  const known = (name) => (name in config.presets ? name : "");
  return {
    model: models[0] ?? "",
    prompt: QUESTION,
    task: config.tasks[0] ?? "",
    cot: false,
    fps: 4,
    seeds: 3,
    settings: [setting(known("deterministic")), setting(known("creative"))],
  };
}

let lastId = 0;

/** One column of settings: a preset's name or "", and the values set by hand. Tokens are always asked about. */
export function setting(preset = "", values = { logprobs: 5 }) {
  lastId += 1;
  return { id: lastId, preset, values };
}

/** The URL fragment that restores the session; a file of one's own cannot be part of it. */
export function toFragment(session, source) {
  const { settings, ...rest } = session;
  const kept = source && source.kind !== "file" ? { kind: source.kind, name: source.name, url: source.url } : null;
  if (kept?.kind === "sample") delete kept.url;
  const plain = { ...rest, settings: settings.map(({ preset, values }) => ({ preset, values })), source: kept };
  const bytes = new TextEncoder().encode(JSON.stringify(plain));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The session and source of a fragment, over what the page opens with; null where it holds none.
 *
 * A link may come from anyone: what the server does not offer, or a field does not take, is left out.
 */
export function fromFragment(fragment, config, fields, opening) {
  const plain = decoded(fragment);
  if (plain === null || !Array.isArray(plain.settings)) return null;
  const session = { ...opening };
  if (typeof plain.prompt === "string") session.prompt = plain.prompt;
  if (config.tasks.includes(plain.task)) session.task = plain.task;
  if (typeof plain.model === "string") session.model = plain.model;
  if (typeof plain.cot === "boolean") session.cot = plain.cot;
  if (plain.fps > 0 && plain.fps <= 60) session.fps = Number(plain.fps);
  if (Number.isInteger(plain.seeds)) session.seeds = Math.min(Math.max(plain.seeds, 1), MOST_SEEDS);
  const settings = plain.settings.slice(0, MOST_SETTINGS).map((one) => readSetting(one, config, fields));
  if (settings.length) session.settings = settings;
  return { session, source: readSource(plain.source) };
}

function readSetting(plain, config, fields) {
  const given = Object(plain?.values);
  const known = fields.filter((field) => Object.hasOwn(given, field.name) && takes(field, given[field.name]));
  const values = Object.fromEntries(known.map((field) => [field.name, given[field.name]]));
  return setting(Object.hasOwn(config.presets, plain?.preset ?? "") ? plain.preset : "", values);
}

function readSource(plain) {
  if (plain?.kind === "sample" && typeof plain.name === "string") return { kind: "sample", name: plain.name };
  if (plain?.kind === "url" && /^https?:\/\//.test(plain.url)) return { kind: "url", url: plain.url };
  return null;
}

function decoded(fragment) {
  try {
    const binary = atob(fragment.replace(/^#/, "").replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (one) => one.charCodeAt(0))));
  } catch {
    return null;
  }
}
