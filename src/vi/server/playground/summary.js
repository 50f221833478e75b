// What is stable and what varies over all answers.
import { html, count, letter } from "./ui.js";
import { groups } from "./answers.js";

/** Each distinct answer with a mark for every run that gave it, in the colour of its setting. */
export function Summary({ runs, found }) {
  const done = runs.filter((run) => run.response).length;
  const failed = runs.filter((run) => run.state === "failed").length;
  const columns = [...new Set(runs.map((run) => run.column))];
  return html`<section class="card summary" aria-labelledby="summary">
    <h3 id="summary" role="status">
      ${done < runs.length - failed ? `${done} of ${count(runs.length, "answer")}` : count(done, "answer")}, ${found.length} distinct${failed ? `, ${failed} failed` : ""}
    </h3>
    <ol>${found.map((group, index) => html`<li key=${group.key}>
      <span class="badge" data-group=${index % 6}>${index + 1}</span>
      <span class="text">${group.text || "(empty)"}${group.boxes > 0 && html` <span class="soft">${count(group.boxes, "box", "boxes")}</span>`}</span>
      <span class="dots">${group.runs.map((run) => html`<i key=${run.id} data-setting=${letter(run.column)} aria-hidden="true"></i>`)}
        <span class="share">${columns.map((column) => share(column, group.runs, runs)).filter(Boolean).join(" · ")}</span>
      </span>
    </li>`)}</ol>
  </section>`;
}

function share(column, ours, runs) {
  const given = ours.filter((run) => run.column === column).length;
  return given ? `${letter(column)} ${given} of ${runs.filter((run) => run.column === column).length}` : "";
}

/** One setting's answers in a few words: whether they agree. */
export function stability(runs) {
  const found = groups(runs);
  const done = runs.filter((run) => run.response).length;
  if (done < 2) return "";
  if (found.length === 1) return `stable: all ${done} the same`;
  return `varies: ${found.length} distinct of ${done}`;
}
