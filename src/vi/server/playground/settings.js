// One column of settings: a preset, and a control for every parameter the server's schema has.
import { html, IconButton, useId, useState, words } from "./ui.js";
import { configOf, hasSlider, idle, shown, within } from "./fields.js";

/** setting: {preset, values}; change is called with a new one. */
export function SettingCard({ setting, name, fields, presets, descriptions, change, remove, duplicate }) {
  const [withHelp, setWithHelp] = useState(false);
  const config = configOf(setting, presets);
  const set = (field, value) => change({ ...setting, values: { ...setting.values, [field.name]: value } });
  const unset = (field) => {
    const { [field.name]: _, ...values } = setting.values;
    change({ ...setting, values });
  };
  const control = (field) => html`<${Control} key=${field.name} field=${field} ...${shown(field, setting, presets)}
    idle=${idle(field, config)} withHelp=${withHelp} set=${(value) => set(field, value)} unset=${() => unset(field)} />`;
  return html`<section class="card setting" data-setting=${name} aria-label=${`Setting ${name}`}>
    <header>
      <h3><span class="chip" data-setting=${name}>${name}</span></h3>
      <${PresetPicker} name=${name} value=${setting.preset} descriptions=${descriptions} pick=${(preset) => change({ ...setting, preset, values: kept(setting) })} />
      <${IconButton} name="help" label=${`Explain the parameters of setting ${name}`} aria-pressed=${withHelp} onClick=${() => setWithHelp(!withHelp)} />
      ${duplicate && html`<${IconButton} name="add" label=${`Copy setting ${name} into a new one`} onClick=${duplicate} />`}
      ${remove && html`<${IconButton} name="close" label=${`Remove setting ${name}`} onClick=${remove} />`}
    </header>
    ${fields.filter((field) => field.isFirst).map(control)}
    <details><summary>More</summary>${fields.filter((field) => !field.isFirst).map(control)}</details>
  </section>`;
}

/** A preset replaces what was set by hand, but for how much is told about each token. */
const kept = ({ values }) => ("logprobs" in values ? { logprobs: values.logprobs } : {});

function PresetPicker({ name, value, descriptions, pick }) {
  return html`<select aria-label=${`Preset of setting ${name}`} value=${value} onChange=${(event) => pick(event.target.value)}>
    <option value="">no preset</option>
    ${Object.entries(descriptions).map(([preset, description]) => html`<option key=${preset} value=${preset} title=${description}>${preset}</option>`)}
  </select>`;
}

/** value: what is in force; origin: who set it; idle: why it does nothing, or "". */
function Control({ field, value, origin, idle, withHelp, set, unset }) {
  const id = useId();
  const Input = field.kind === "boolean" ? Switch : field.kind === "strings" ? Strings : Numbers;
  return html`<div class="field" data-name=${field.name} data-origin=${origin} data-idle=${idle !== ""} title=${[field.help, idle].filter(Boolean).join(" ")}>
    <label for=${id}>${words(field.name)}</label>
    <${IconButton} name="reset" label=${`Forget ${words(field.name)}`} onClick=${unset} disabled=${origin !== "own"} />
    <${Input} id=${id} field=${field} value=${value} set=${set} help=${`${id}-help`} />
    <p id=${`${id}-help`} class=${withHelp ? "help" : "unseen"}>${field.help} ${idle}</p>
  </div>`;
}

const Switch = ({ id, value, set, help }) =>
  html`<span class="input"><input id=${id} type="checkbox" role="switch" checked=${value === true} aria-describedby=${help}
    onChange=${(event) => set(event.target.checked)} /></span>`;

function Numbers({ id, field, value, set, help }) {
  const isNone = value === null;
  const step = field.kind === "integer" ? 1 : 0.01;
  const bounds = { min: field.min, max: field.max, step };
  const take = (event) => {
    const number = within(field, event.target.value);
    if (number !== null) set(number);
    event.target.value = String(number ?? value ?? "");
  };
  const number = html`<input type="number" class="number" ...${hasSlider(field) ? bounds : { min: field.min, step }}
    id=${hasSlider(field) ? undefined : id} aria-label=${hasSlider(field) ? `${words(field.name)}, as a number` : undefined}
    aria-describedby=${help} value=${isNone ? "" : String(value)} placeholder=${isNone ? "none" : ""} onChange=${take} />`;
  return html`<span class="input">
    ${hasSlider(field) && html`<input type="range" id=${id} ...${bounds} value=${String(isNone ? field.max : value)} aria-describedby=${help}
      aria-valuetext=${isNone ? "none" : String(value)} style=${{ "--at": String(at(field, value)) }}
      onInput=${(event) => set(within(field, event.target.value))} />`}
    ${field.name === "seed" && html`<${IconButton} name="dice" label="Draw a new seed" onClick=${() => set(Math.floor(Math.random() * 10000))} />`}
    ${field.nullable && html`<button type="button" class="none" aria-pressed=${isNone} aria-label=${`${words(field.name)}: none`}
      onClick=${() => set(isNone ? (field.fallback ?? field.min) : null)}>none</button>`}
    ${number}
  </span>`;
}

/** Where on the slider the value is, in [0, 1]. */
const at = ({ min, max }, value) => (value === null ? 1 : (value - min) / (max - min));

/** One text a line; \n within a line is a line break in the text. */
function Strings({ id, value, set, help }) {
  const shown = (value ?? []).map((text) => text.replaceAll("\n", "\\n")).join("\n");
  const take = (event) => set(event.target.value.split("\n").filter(Boolean).map((text) => text.replaceAll("\\n", "\n")));
  return html`<span class="input"><textarea id=${id} rows=${Math.max(1, (value ?? []).length)} aria-describedby=${help}
    placeholder="one a line" value=${shown} onChange=${take}></textarea></span>`;
}
