// The greeting of GET /api/data, and what GET /api/health/ready says.

import { ask } from "./client.js";
import { clock, silence } from "./sentences.js";

const WELL = ["up", "ok", "ready", true];

const byId = (id) => document.getElementById(id);

/** Shows the API's greeting and how long it took. */
export async function showGreeting() {
  const start = performance.now();
  const answer = await ask("/api/data");
  const message = answer.ok ? answer.body.message : null;
  byId("hello").textContent = message ?? silence(answer);
  byId("hello-note").textContent = `At ${clock()}, after ${Math.round(performance.now() - start)} ms.`;
}

/** Shows what is up and what is missing. */
export async function showHealth() {
  const answer = await ask("/api/health/ready");
  const reached = answer.ok || answer.status === 503;
  show("api", answer.ok ? "up" : "down");
  for (const name of ["database", "cache"]) {
    show(name, reached ? stateOf(name, answer) : "unknown");
  }
  byId("health-note").textContent = answer.ok ? "" : reason(answer);
}

/** Each check by name, or a list of what is missing; a part not spoken of is as well as the whole. */
function stateOf(name, { body, ok }) {
  const said = body.checks?.[name];
  if (said !== undefined) {
    return WELL.includes(said) ? "up" : "down";
  }
  if (Array.isArray(body.missing)) {
    return body.missing.includes(name) ? "down" : "up";
  }
  return ok ? "up" : "unknown";
}

function reason(answer) {
  return typeof answer.body.detail === "string" ? answer.body.detail : silence(answer);
}

function show(name, state) {
  const field = byId(`health-${name}`);
  field.dataset.state = state;
  field.textContent = state;
}
