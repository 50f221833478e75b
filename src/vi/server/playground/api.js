// The server's HTTP API: configuration, samples, and answers as streams of events.

const KEY = "vi-api-key";
const PATIENCE = 20; // how often a request that met a full queue is sent again

/** What the server refused: the message of its error envelope, and the HTTP status. */
export class ApiError extends Error {
  constructor(status, error) {
    super(error?.message ?? `The server answered with status ${status}.`);
    this.status = status;
  }
}

/** The key of a server that asks for one; kept for this tab only. */
export const apiKey = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value.trim()),
};

export const getModels = async () => (await (await request("v1/models")).json()).data.map((model) => model.id);
export const getConfig = async () => (await request("v1/config")).json();
export const getFile = async (url) => (await request(url.replace(/^\//, ""))).blob();

/**
 * The events of one answer, as they come: text, thinking, field, box, token, done.
 *
 * call: {source, prompt, task, cot, fps, config, model}. Throws ApiError, also for an error in the midst of the stream.
 */
export async function* predict(call, signal) {
  const response = await patiently(() => request("v1/predict", { method: "POST", signal, ...body(call) }), signal);
  let isDone = false;
  for await (const { name, data } of serverSentEvents(response.body)) {
    if (data === "[DONE]") continue;
    const event = JSON.parse(data);
    if (name === "error" || event.error) throw new ApiError(response.status, event.error ?? event);
    isDone ||= name === "done";
    yield { ...event, type: event.type ?? name };
  }
  if (!isDone) throw new ApiError(response.status, { message: "The connection ended before the answer did." });
}

/** Events of a stream of bytes in the format of server-sent events: {name, data}. */
export async function* serverSentEvents(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest = (rest + (done ? "" : decoder.decode(value, { stream: true }))).replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function parsed(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { name, data: data.join("\n") } : null;
}

/** The fields of a call as /v1/predict takes them; what is not set is left to the server. */
export function fields({ prompt, task, cot, fps, config, model }, isClip) {
  const values = { generation_config: config };
  if (model) values.model = model;
  if (prompt.trim()) values.user_prompt = prompt;
  if (task) values.task_type = task;
  if (cot) values.cot = true;
  if (isClip) values.fps = fps;
  return values;
}

function body(call) {
  const values = { ...fields(call, call.source.isClip), stream: true };
  if (call.source.kind === "url") {
    return {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ source: call.source.url, ...values }),
    };
  }
  const form = new FormData();
  form.append("file", call.source.blob, call.source.name);
  for (const [name, value] of Object.entries(values)) {
    form.append(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return { body: form };
}

async function request(path, options = {}) {
  const key = apiKey.get();
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  const envelope = await response.json().catch(() => ({}));
  const error = new ApiError(response.status, envelope.error);
  error.retryAfter = Number(response.headers.get("Retry-After")) || 1;
  throw error;
}

/** Send again, after the time the server names, while its queue is full. */
async function patiently(send, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (error.status !== 429 || attempt >= PATIENCE) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * error.retryAfter));
      signal.throwIfAborted();
    }
  }
}
