// Asking: all runs of all settings at once, kept up to date as their events come.
import { useReducer, useRef, useState } from "./ui.js";
import { follow, plan } from "./runs.js";

/** [runs, asked, ask, stop]. asked: what was asked, with onPicture (a run's id, "all" or null) and show to change it. */
export function useRuns() {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const [asked, setAsked] = useState(null);
  const [onPicture, show] = useState(null);
  const runs = useRef([]);
  const controller = useRef(new AbortController());
  const frame = useRef(0);

  const changed = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      redraw();
    });
  };
  const stop = () => controller.current.abort();
  const ask = (call) => {
    stop();
    controller.current = new AbortController();
    runs.current = plan(call.configs, call.seeds);
    setAsked(call);
    show(null);
    for (const run of runs.current) follow(run, call, controller.current.signal, changed);
    redraw();
  };
  const shown = onPicture ?? runs.current.find((run) => run.boxes.length)?.id ?? null;
  return [runs.current, asked && { ...asked, onPicture: shown, show }, ask, stop];
}
