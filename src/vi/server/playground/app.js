// The page: what is asked on one side, settings and their answers on the other.
import { html, render, useEffect, useMemo, useReducer, useRef, useState, CopyButton, letter } from "./ui.js";
import { apiKey, getConfig, getModels } from "./api.js";
import { configOf, readFields } from "./fields.js";
import { MOST_SEEDS, MOST_SETTINGS, firstSession, fromFragment, setting, toFragment } from "./session.js";
import { SourcePicker, ofSample, ofUrl, useDropAndPaste } from "./source.js";
import { Stage } from "./stage.js";
import { SettingCard } from "./settings.js";
import { RunCard } from "./runcard.js";
import { Inspector, Legend } from "./tokens.js";
import { Summary, stability } from "./summary.js";
import { CodeDialog } from "./code.js";
import { ThemeButton } from "./theme.js";
import { groups } from "./answers.js";
import { useRuns } from "./asking.js";

const NARROW = "(max-width: 900px)"; // where the style sheets put all in one column

/** The server's configuration, once it is there; asks for a key where the server wants one. */
function Page() {
  const [server, setServer] = useState(null);
  const [problem, setProblem] = useState(null);
  const load = () =>
    Promise.all([getConfig(), getModels()]).then(
      ([config, models]) => setServer({ config, models }),
      setProblem,
    );
  useEffect(() => void load(), []);
  if (server) return html`<${Bench} ...${server} />`;
  if (problem?.status === 401 || problem?.status === 403) return html`<${KeyForm} problem=${problem} retry=${load} />`;
  return html`<p class="loading" role="status">${problem ? problem.message : "Loading…"}</p>`;
}

function KeyForm({ problem, retry }) {
  const [key, setKey] = useState("");
  const go = (event) => {
    event.preventDefault();
    apiKey.set(key);
    retry();
  };
  return html`<form class="card key" onSubmit=${go}>
    <h1>Vi Inference</h1>
    <p role="alert">${problem.message}</p>
    <label>API key <input type="password" autocomplete="off" value=${key} onInput=${(event) => setKey(event.target.value)} /></label>
    <button type="submit" class="button main">Continue</button>
  </form>`;
}

function Bench({ config, models }) {
  const { presets, samples } = config;
  const opening = useMemo(() => opened(config, models, readFields(config.schema)), []);
  const [session, update] = useReducer((old, change) => ({ ...old, ...change }), opening.session);
  const fields = useMemo(() => readFields(config.schema, config.defaults[session.model]), [session.model]);
  const [source, setSource] = useState(null);
  const [notice, setNotice] = useState("");
  const [inspected, inspect] = useState(null);
  const [isCodeOpen, setCodeOpen] = useState(false);
  const [runs, asked, ask, stop] = useRuns();

  const choose = (next) => {
    if (source?.blob && source.url !== asked?.source.url) URL.revokeObjectURL(source.url);
    setNotice("");
    setSource(next);
  };
  const chooseSample = (sample) => ofSample(sample).then(choose, (error) => setNotice(error.message));
  const isOver = useDropAndPaste(choose);
  useEffect(() => {
    const { kind, name, url } = opening.source ?? { kind: "sample", name: samples[0]?.name };
    const sample = samples.find((one) => one.name === name);
    if (kind === "url") choose(ofUrl(url));
    else if (sample) chooseSample(sample);
  }, []);
  useEffect(() => {
    const escape = (event) => event.key === "Escape" && inspect(null);
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, []);

  const link = () => {
    history.replaceState(null, "", `#${toFragment(session, source)}`);
    return location.href;
  };
  const go = () => {
    inspect(null);
    if (source) ask({ ...session, source, configs: session.settings.map((one) => configOf(one, presets)) });
    else setNotice("Choose a picture or a clip first.");
  };
  const isBusy = runs.some((run) => run.state === "waiting" || run.state === "running");
  return html`
    <${Header} models=${models} session=${session} update=${update}>
      <button type="button" class="button quiet" onClick=${() => setCodeOpen(true)}>As code</button>
      <${CopyButton} label="Copy link" text=${link} />
      <${ThemeButton} />
    <//>
    <main>
      <div class="question">
        <${Stage} source=${source} runs=${runs} asked=${asked} isOver=${isOver} />
        <${SourcePicker} samples=${samples} source=${source} choose=${choose} chooseSample=${chooseSample} />
        <${Question} session=${session} update=${update} tasks=${config.tasks} source=${source} isBusy=${isBusy} go=${go} stop=${stop} notice=${notice} />
      </div>
      <div class="bench">
        <${SettingColumns} session=${session} update=${update} fields=${fields} presets=${presets} descriptions=${config.descriptions} />
        ${runs.length > 0 && html`<${Answers} runs=${runs} asked=${asked} fields=${fields} inspect=${inspect} />`}
      </div>
    </main>
    <${Inspector} at=${inspected} />
    ${isCodeOpen && html`<${CodeDialog} call=${{ ...session, source, presets }} settings=${session.settings} close=${() => setCodeOpen(false)} />`}
  `;
}

/** What the page begins with: the link's session where there is one. */
function opened(config, models, fields) {
  const first = firstSession(config, models);
  const linked = fromFragment(location.hash, config, fields, first) ?? { session: first, source: null };
  if (!models.includes(linked.session.model)) linked.session.model = first.model;
  return linked;
}

function Header({ models, session, update, children }) {
  return html`<header class="top">
    <h1><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3"/><circle cx="12" cy="12" r="3.2"/></svg>Vi Inference <span>playground</span></h1>
    ${models.length > 1
      ? html`<select aria-label="Model" value=${session.model} onChange=${(event) => update({ model: event.target.value })}>
          ${models.map((model) => html`<option key=${model} value=${model}>${model}</option>`)}
        </select>`
      : html`<span class="model" title="The model that answers">${models[0]}</span>`}
    <nav aria-label="Page">${children}</nav>
  </header>`;
}

function Question({ session, update, tasks, source, isBusy, go, stop, notice }) {
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go();
  };
  return html`<form class="prompt" aria-label="Question" onKeyDown=${keys} onSubmit=${(event) => {
    event.preventDefault();
    go();
  }}>
    <label for="prompt">Prompt</label>
    <textarea id="prompt" rows="2" value=${session.prompt} placeholder="the task's own question" onInput=${(event) => update({ prompt: event.target.value })}></textarea>
    <div class="row">
      <label>Task <select value=${session.task} onChange=${(event) => update({ task: event.target.value })}>
        ${tasks.map((task) => html`<option key=${task} value=${task}>${task}</option>`)}
      </select></label>
      <label>Seeds each <input type="number" min="1" max=${MOST_SEEDS} value=${String(session.seeds)}
        onChange=${(event) => update({ seeds: Math.min(Math.max(Math.round(Number(event.target.value)) || 1, 1), MOST_SEEDS) })} /></label>
      ${source?.isClip && html`<label>Frames a second <input type="number" min="0.1" max="60" step="0.1" value=${String(session.fps)}
        onChange=${(event) => update({ fps: Math.min(Math.max(Number(event.target.value) || 4, 0.1), 60) })} /></label>`}
      <label class="check"><input type="checkbox" role="switch" checked=${session.cot} onChange=${(event) => update({ cot: event.target.checked })} /> Think first</label>
    </div>
    ${isBusy
      ? html`<button type="button" class="button main stop" onClick=${stop}>Stop</button>`
      : html`<button type="submit" class="button main">Ask <kbd>Ctrl ↵</kbd></button>`}
    ${notice && html`<p class="error" role="alert">${notice}</p>`}
  </form>`;
}

function SettingColumns({ session, update, fields, presets, descriptions }) {
  const { settings } = session;
  const add = (one) => update({ settings: [...settings, setting(one.preset, { ...one.values })] });
  const isFull = settings.length >= MOST_SETTINGS;
  return html`<div class="columns" style=${{ "--columns": String(settings.length) }}>
    ${settings.map((one, index) => html`<${SettingCard} key=${one.id} setting=${one} name=${letter(index)} fields=${fields} presets=${presets} descriptions=${descriptions}
      change=${(next) => update({ settings: settings.map((old) => (old.id === one.id ? next : old)) })}
      duplicate=${isFull ? null : () => add(one)}
      remove=${settings.length > 1 ? () => update({ settings: settings.filter((old) => old.id !== one.id) }) : null} />`)}
  </div>`;
}

function Answers({ runs, asked, fields, inspect }) {
  const found = groups(runs);
  const reference = found[0]?.runs[0] ?? null;
  const defaults = Object.fromEntries(fields.map((field) => [field.name, field.fallback]));
  const columns = asked.configs.map((_, column) => runs.filter((run) => run.column === column));
  const groupOf = (run) => found.findIndex((group) => group.runs.includes(run));
  const hasTokens = runs.some((run) => run.tokens.length);
  const section = useRef();
  useEffect(() => void (matchMedia(NARROW).matches && section.current.scrollIntoView()), [asked.configs]);
  return html`<section class="answers" aria-label="Answers" ref=${section}>
    <${Summary} runs=${runs} found=${found} />
    ${hasTokens && html`<${Legend} />`}
    <div class="columns" style=${{ "--columns": String(columns.length) }}>
      ${columns.map((its, column) => html`<section key=${column} class="column" aria-label=${`Answers of setting ${letter(column)}`}>
        <h3><span class="chip" data-setting=${letter(column)}>${letter(column)}</span> <span class="soft">${stability(its)}</span></h3>
        ${its.map((run) => html`<${RunCard} key=${run.id} run=${run} source=${asked.source} reference=${found.length > 1 ? reference : null}
          group=${groupOf(run)} defaults=${defaults} inspect=${inspect} isOnPicture=${asked.onPicture === run.id} onShow=${() => asked.show(run.id)} />`)}
      </section>`)}
    </div>
  </section>`;
}

render(html`<${Page} />`, document.getElementById("page"));
