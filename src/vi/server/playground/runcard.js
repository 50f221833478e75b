// One answer: what was said, where it differs, its boxes, its tokens, and how it came about.
import { html, count, percent, seconds, useMemo } from "./ui.js";
import { Tokens } from "./tokens.js";
import { Boxes, Shown, hues } from "./picture.js";
import { differences, firstDifference, words } from "./answers.js";
import { seedOf } from "./runs.js";

const END_OF_THINKING = "</think>";

/**
 * run: see runs.js. reference: the most frequent answer's first run, or null. group: index of its answer among the
 * distinct ones, -1 while it is not known. defaults: values of the fields that nobody set.
 */
export function RunCard(props) {
  const { run, reference, group, isOnPicture } = props;
  return useMemo(() => html`<${Card} ...${props} />`, [run, run.version, reference, group, isOnPicture]);
}

function Card({ run, source, reference, group, defaults, inspect, isOnPicture, onShow }) {
  const { response } = run;
  const config = { ...defaults, ...run.config, ...resolved(response) };
  const odd = reference && reference !== run && response ? firstDifference(run.tokens, reference.tokens) : -1;
  const split = endOfThinking(run.tokens, Boolean(run.thinking));
  const name = `seed ${seedOf(run)}`;
  const strip = { config, inspect, odd };
  return html`<article class="card run" data-state=${run.state} aria-label=${`Answer with ${name}`}>
    <header>
      <h4>${run.isDrawn ? name : html`<span title="Greedy: the seed does not matter">${name}</span>`}</h4>
      ${group >= 0 && html`<span class="badge" data-group=${group % 6} title="Equal answers have equal numbers">answer ${group + 1}</span>`}
      <${State} run=${run} />
    </header>
    ${run.thinking && html`<details class="thinking">
      <summary>Thinking${split ? html` <span class="soft">${count(split, "token")}</span>` : ""}</summary>
      ${split ? html`<${Tokens} ...${strip} tokens=${run.tokens.slice(0, split)} label="Tokens of the thinking" />` : html`<p>${run.thinking}</p>`}
    </details>`}
    <${Said} run=${run} reference=${reference} />
    ${run.boxes.length > 0 && html`<${Found} run=${run} source=${source} isOnPicture=${isOnPicture} onShow=${onShow} />`}
    ${run.tokens.length > split && html`<${Tokens} ...${strip} tokens=${split ? run.tokens.slice(split) : run.tokens} first=${split}
      label=${`Tokens of the answer with ${name}`} />`}
    ${run.error && html`<p class="error" role="alert">${run.error}</p>`}
    ${response?.warnings.map((warning) => html`<p class="warning" key=${warning}>${warning}</p>`)}
    ${response && html`<${Account} response=${response} />`}
  </article>`;
}

const resolved = (response) =>
  Object.fromEntries(Object.entries(response?.generation ?? {}).map(([name, setting]) => [name, setting.value]));

/** How many tokens at the beginning are the thinking; 0 where there is none. */
function endOfThinking(tokens, isThinking) {
  if (!isThinking) return 0;
  let text = "";
  for (const [index, token] of tokens.entries()) {
    text += token.text;
    if (text.includes(END_OF_THINKING)) return index + 1;
  }
  return tokens.length;
}

const ENDS = {
  stop_string: "stop string",
  length: "length limit",
  loop: "loop ended",
  cancelled: "stopped",
};

function State({ run }) {
  const { response } = run;
  if (run.state === "waiting") return html`<span class="state busy">waiting</span>`;
  if (run.state === "running") return html`<span class="state busy">${count(run.tokens.length, "token")}</span>`;
  if (!response) return html`<span class="state">${run.state}</span>`;
  const end = ENDS[response.finish_reason];
  return html`<span class="state">
    ${end && html`<b>${end} · </b>`}${count(response.usage.completion_tokens, "token")} · ${seconds(response.timings.total)}
  </span>`;
}

function Said({ run, reference }) {
  const text = words(run);
  const isOther = run.response && reference && reference !== run;
  const parts = isOther ? differences(text, words(reference)) : [{ text, kind: "same" }];
  return html`<p class="said">${parts.map(({ text, kind }, index) =>
    kind === "same"
      ? text
      : kind === "new"
        ? html`<mark key=${index}>${text}</mark>`
        : html`<del key=${index} title=${`The most frequent answer has “${text.trim()}” here`}><span class="unseen">without ${text}</span></del>`,
  )}${run.state === "running" && html`<span class="caret" aria-hidden="true"></span>`}</p>`;
}

/** Phrases with their boxes' confidences, beside a small picture that has the boxes. */
function Found({ run, source, isOnPicture, onShow }) {
  const colours = hues(run.boxes);
  return html`<div class="found">
    <button type="button" class="mini" aria-pressed=${isOnPicture} onClick=${onShow}
      aria-label=${`Show the ${run.boxes.length} boxes of seed ${seedOf(run)} on the picture`}>
      ${source.isClip ? html`<span class="soft">${run.boxes.length}</span>` : html`<${Shown} source=${source}><${Boxes} boxes=${run.boxes} /><//>`}
    </button>
    <ul>${run.boxes.map(({ phrase, confidence }, index) => html`<li key=${index} style=${{ "--hue": String(colours.get(phrase)) }}>
      <i></i>${phrase}${typeof confidence === "number" && html` <span class="soft">${percent(confidence)}</span>`}
    </li>`)}</ul>
  </div>`;
}

/** Every parameter with its value and who set it, and what the answer cost. */
function Account({ response }) {
  const { usage, timings } = response;
  return html`<details class="account">
    <summary>How it came about</summary>
    <dl>
      <dt>Prompt</dt><dd>${count(usage.prompt_tokens, "token")}, ${usage.image_tokens} of them the picture's, ${usage.cached_tokens} known before</dd>
      <dt>First token</dt><dd>${seconds(timings.time_to_first_token)}, then ${seconds(timings.per_token)} each</dd>
      ${Object.entries(response.generation).map(
        ([name, { value, origin }]) => html`<dt key=${name}>${name}</dt><dd>${JSON.stringify(value)} <span class="soft">${origin}</span></dd>`,
      )}
    </dl>
    <pre tabindex="0" aria-label="The model's own text">${response.raw_output}</pre>
  </details>`;
}
