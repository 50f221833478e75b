// The same call in Python, on the command line and as curl.
import { html, CopyButton, IconButton, letter, useEffect, useRef, useState } from "./ui.js";
import { apiKey, fields as callFields } from "./api.js";
import { configOf } from "./fields.js";

const EMBEDDED = "workbench"; // the model that ViModel() is

const quoted = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;
const bare = (text) => (/^[\w./:@%+-]+$/.test(text) ? text : quoted(text));

function literal(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : JSON.stringify(value);
}

/** call: {source, prompt, task, cot, fps, model, setting, presets}. */
export function inPython(call) {
  const { source, prompt, task, cot, fps, model, setting } = call;
  const isSample = source.kind === "sample";
  const given = Object.entries(setting.values);
  const config = setting.preset
    ? `GenerationConfig.preset(${[literal(setting.preset), ...given.map(([name, value]) => `${name}=${literal(value)}`)].join(", ")})`
    : `{${given.map(([name, value]) => `${literal(name)}: ${literal(value)}`).join(", ")}}`;
  const lines = [
    `from vi.inference import ${setting.preset ? "GenerationConfig, " : ""}ViModel`,
    isSample && "from vi.workbench import sample",
    "",
    `with ViModel(${model && model !== EMBEDDED ? `run_id=${literal(model)}` : ""}) as model:`,
    "    answer, error = model(",
    `        ${isSample ? `sample(${literal(source.name)})` : literal(source.kind === "url" ? source.url : source.name)},`,
    prompt.trim() !== "" && `        ${literal(prompt)},`,
    `        generation_config=${config},`,
    task !== "" && `        task_type=${literal(task)},`,
    cot && "        cot=True,",
    source.isClip && `        fps=${fps},`,
    "    )",
    "    print(error or answer)",
  ];
  return `${lines.filter((line) => typeof line === "string").join("\n")}\n`;
}

export function onCommandLine(call) {
  const { source, prompt, task, cot, fps, model, setting } = call;
  const parts = [
    `vi-infer predict ${bare(source.kind === "url" ? source.url : source.name)}`,
    model && model !== EMBEDDED && `--run-id ${bare(model)}`,
    prompt.trim() && `--prompt ${quoted(prompt)}`,
    task && `--task ${task}`,
    cot && "--cot",
    source.isClip && `--fps ${fps}`,
    setting.preset && `--preset ${setting.preset}`,
    ...Object.entries(setting.values).flatMap(([name, value]) => options(name, value)),
  ];
  return `${download(source)}${parts.filter(Boolean).join(" \\\n  ")}\n`;
}

function options(name, value) {
  const flag = name.replaceAll("_", "-");
  if (typeof value === "boolean") return [value ? `--${flag}` : `--no-${flag}`];
  if (Array.isArray(value)) return value.map((one) => `--${flag} ${quoted(one)}`);
  return [`--${flag}=${value === null ? "none" : value}`];
}

export function asCurl(call) {
  const { source, setting, presets } = call;
  const values = callFields({ ...call, config: configOf(setting, presets) }, source.isClip);
  const head = [`curl ${bare(new URL("v1/predict", location.href).href)}`, apiKey.get() && `-H "Authorization: Bearer $VI_API_KEY"`];
  const rest =
    source.kind === "url"
      ? ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify({ source: source.url, ...values }))}`]
      : [
          `-F ${bare(`file=@${source.name}`)}`,
          ...Object.entries(values).map(([name, value]) =>
            `--form-string ${quoted(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)}`,
          ),
        ];
  return `${download(source)}${[...head, ...rest].filter(Boolean).join(" \\\n  ")}\n`;
}

/** A sample is on the server alone: it is fetched first. */
const download = (source) =>
  source.kind === "sample" ? `curl -sO ${bare(new URL(`v1/samples/${encodeURIComponent(source.name)}`, location.href).href)}\n` : "";

/** What the code takes for granted. */
function notes({ source, model }) {
  const file = source?.kind === "file" ? " The file's name stands for its path." : "";
  const run = model && model !== EMBEDDED ? " The server's name of the model stands for its run." : "";
  return `One answer, with the setting's first seed.${file}${run}`;
}

const LANGUAGES = [
  ["Python", inPython],
  ["Command line", onCommandLine],
  ["curl", asCurl],
];

/** A dialog with the call of each setting. call: as above, without setting. */
export function CodeDialog({ call, settings, close }) {
  const [language, setLanguage] = useState(0);
  const [column, setColumn] = useState(0);
  const dialog = useRef();
  const tabs = useRef();
  useEffect(() => dialog.current.showModal(), []);
  const setting = settings[Math.min(column, settings.length - 1)];
  const text = call.source ? LANGUAGES[language][1]({ ...call, setting }) : "Choose a picture or a clip first.";
  const turn = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (language + step + LANGUAGES.length) % LANGUAGES.length;
    setLanguage(next);
    tabs.current.children[next].focus();
  };
  return html`<dialog ref=${dialog} class="code" aria-labelledby="code-title" onClose=${close} onClick=${(event) => event.target === dialog.current && dialog.current.close()}>
    <div>
      <header>
        <h2 id="code-title">As code</h2>
        ${settings.length > 1 && html`<select aria-label="Setting" value=${String(column)} onChange=${(event) => setColumn(Number(event.target.value))}>
          ${settings.map((_, index) => html`<option key=${index} value=${String(index)}>Setting ${letter(index)}</option>`)}
        </select>`}
        <${IconButton} name="close" label="Close" onClick=${() => dialog.current.close()} />
      </header>
      <div class="tabs" role="tablist" aria-label="Language" ref=${tabs} onKeyDown=${turn}>
        ${LANGUAGES.map(([name], index) => html`<button type="button" key=${name} role="tab" id=${`tab-${index}`} aria-controls="code-panel"
          aria-selected=${index === language} tabindex=${index === language ? 0 : -1} onClick=${() => setLanguage(index)}>${name}</button>`)}
      </div>
      <pre id="code-panel" role="tabpanel" aria-labelledby=${`tab-${language}`} tabindex="0"><code>${text}</code></pre>
      <footer>
        <p class="soft">${notes(call)}</p>
        <${CopyButton} text=${() => text} label="Copy" />
      </footer>
    </div>
  </dialog>`;
}
