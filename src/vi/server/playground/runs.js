// One run is one answer under one setting and one seed, from the moment it is asked for.
import { ApiError, predict } from "./api.js";
import { samples } from "./fields.js";

let lastRun = 0;

/** Every setting with every seed, in the order they are shown. configs: what each setting sends. */
export function plan(configs, seeds) {
  return configs.flatMap((config, column) =>
    seedsOf(config, seeds).map((seed, row) => ({
      id: (lastRun += 1),
      column,
      row,
      config: { ...config, seed },
      isDrawn: samples(config),
      state: "waiting", // then running, and one of done, failed, stopped
      text: "",
      thinking: "",
      tokens: [],
      boxes: [],
      response: null,
      error: "",
      version: 0, // counts its changes
    })),
  );
}

/** The setting's own seed and those after it; -1 stays a fresh one each time. */
function seedsOf(config, count) {
  const first = config.seed ?? 0;
  return Array.from({ length: count }, (_, index) => (first === -1 ? -1 : first + index));
}

/** Ask for one answer and keep the run up to date; changed() after every event. Never throws. */
export async function follow(run, call, signal, changed) {
  try {
    for await (const event of predict({ ...call, config: run.config }, signal)) {
      if (run.state === "waiting") run.state = "running";
      take(run, event);
      run.version += 1;
      changed();
    }
    run.state = "done";
  } catch (error) {
    run.state = signal.aborted ? "stopped" : "failed";
    if (!signal.aborted) run.error = said(error);
  }
  run.version += 1;
  changed();
}

const said = (error) => (error instanceof ApiError ? error.message : `The server cannot be reached (${error.message}).`);

function take(run, event) {
  if (event.type === "text") run.text += event.text;
  else if (event.type === "thinking") run.thinking += event.text;
  else if (event.type === "token") run.tokens = [...run.tokens, event];
  else if (event.type === "box") run.boxes = [...run.boxes, event];
  else if (event.type === "done") finish(run, event.response);
}

/** The whole answer, which goes over what came in pieces. */
function finish(run, response) {
  run.response = response;
  run.thinking = response.thinking ?? "";
  run.tokens = response.logprobs ?? run.tokens;
  if (response.result?.groundings) run.boxes = boxesOf(response);
}

function boxesOf({ result, confidences }) {
  return result.groundings.flatMap(({ phrase, grounding }, index) =>
    grounding.map((box, place) => ({ phrase, box, confidence: confidences?.[index]?.boxes?.[place] ?? null })),
  );
}

export const isOver = (run) => !["waiting", "running"].includes(run.state);

/** The seed that was used: a drawn one is known when the answer is there. */
export const seedOf = (run) => run.response?.generation?.seed?.value ?? run.config.seed;
