// Wires the parts together and decides when to look again.

import { getMessage } from "./client.js";
import { say, startForm } from "./form.js";
import { findMessage, refreshMessages, showOlder } from "./messages.js";
import { showGreeting, showHealth } from "./overview.js";
import { later } from "./sentences.js";

const SOON_MS = 1500;
const CALM_MS = 10000;
const FAILING_MS = 30000;
const HEALTH_MS = 15000;

const byId = (id) => document.getElementById(id);
const auto = byId("auto");

let timer = null;
let pause = SOON_MS;
let healthAt = 0;
let looking = false;
let lookAgain = false;
let followed = null;

/** Looks at everything once; a call while another one runs makes that one look again. */
async function look() {
  clearTimeout(timer);
  if (looking) {
    lookAgain = true;
    return;
  }
  looking = true;
  const [outcome] = await Promise.all([refreshMessages(), healthIfDue()]);
  await follow();
  looking = false;
  pause = nextPause(outcome);
  if (lookAgain) {
    lookAgain = false;
    pause = SOON_MS;
  }
  plan();
}

/** Often while things move, rarely when nothing does, rarest when nobody answers. */
function nextPause(outcome) {
  if (outcome === "changed") {
    return SOON_MS;
  }
  return Math.min(pause * 1.6, outcome === "failed" ? FAILING_MS : CALM_MS);
}

function plan() {
  clearTimeout(timer);
  if (auto.checked && !document.hidden) {
    timer = setTimeout(look, pause);
  }
}

function lookNow() {
  pause = SOON_MS;
  look();
}

async function healthIfDue() {
  if (Date.now() - healthAt >= HEALTH_MS) {
    healthAt = Date.now();
    await showHealth();
  }
}

/** Tells the sender when the message just sent has arrived, or will not. */
async function follow() {
  if (followed === null) {
    return;
  }
  const id = followed;
  const message = findMessage(id) ?? (await getMessage(id)).body;
  if (followed !== id || !["logged", "dead"].includes(message.status)) {
    return;
  }
  followed = null;
  if (message.status === "dead") {
    say("The message is stored, but the worker gave up on it.", "bad");
    return;
  }
  const delay = later(message.created_at, message.logged_at);
  say(`Logged by the worker${delay && `, ${delay}`}.`, "good");
}

startForm((message) => {
  followed = message.id;
  lookNow();
});
byId("hello-button").addEventListener("click", showGreeting);
byId("older").addEventListener("click", showOlder);
byId("refresh").addEventListener("click", () => {
  healthAt = 0;
  lookNow();
});
auto.addEventListener("change", () => (auto.checked ? lookNow() : clearTimeout(timer)));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
  } else if (auto.checked) {
    lookNow();
  }
});
showGreeting();
lookNow();
