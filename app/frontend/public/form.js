// The form: checks, sends, and says in one sentence what became of it.

import { sendMessage } from "./client.js";
import { draftKey, dropDraft, readDraft } from "./draft.js";
import { refusal } from "./sentences.js";

const LONGEST = 2000;
const API_KEY = "octopus.apiKey";
// After these answers nothing is stored and nothing will be: the next attempt is a new one.
const FINAL = new Set([201, 413, 415, 422]);

const byId = (id) => document.getElementById(id);
const [form, text, key] = [byId("send"), byId("text"), byId("key")];
const [button, result] = [byId("send-button"), byId("send-result")];

let sending = false;

/** Starts the form; `onAccepted` gets each message that the API has accepted. */
export function startForm(onAccepted) {
  key.value = sessionStorage.getItem(API_KEY) ?? "";
  restoreDraft();
  showCount();
  key.addEventListener("input", rememberKey);
  text.addEventListener("input", showCount);
  text.addEventListener("keydown", sendOnCtrlEnter);
  byId("key-show").addEventListener("click", toggleKey);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(onAccepted);
  });
}

/** Shows a sentence below the form; `tone` is "good" or "bad". */
export function say(sentence, tone) {
  result.className = `result ${tone}`.trim();
  result.textContent = sentence;
}

async function submit(onAccepted) {
  if (sending || !check()) {
    return;
  }
  // Emptied first, so that the same sentence twice is also announced twice.
  say("", "");
  setSending(true);
  const sent = text.value;
  const answer = await sendMessage(sent, key.value.trim(), draftKey(sent));
  setSending(false);
  if (FINAL.has(answer.status)) {
    dropDraft();
  }
  if (answer.status === 201) {
    accepted(sent, answer.body, onAccepted);
  } else {
    refused(answer);
  }
}

function accepted(sent, message, onAccepted) {
  if (text.value === sent) {
    text.value = "";
    showCount();
  }
  say("Accepted: the message is stored and queued.", "good");
  onAccepted(message);
}

function refused(answer) {
  say(refusal(answer), "bad");
  if (answer.status === 401) {
    mark(key);
  } else if (answer.status === 413 || answer.status === 422) {
    mark(text);
  }
}

/** What the browser can tell before asking; the API decides. */
function check() {
  mark(null);
  const length = characters(text.value);
  if (length === 0) {
    return complain(text, "Write a message first.");
  }
  if (length > LONGEST) {
    return complain(text, `The message is too long: ${length} characters of at most ${LONGEST}.`);
  }
  // A header carries printable ASCII only; anything else would fail as if the network were gone.
  const value = key.value.trim();
  if (value === "") {
    return complain(key, "Type the API key first.");
  }
  return /^[\x21-\x7e]+$/.test(value) || complain(key, "The API key holds characters that no key has.");
}

function complain(field, sentence) {
  say(sentence, "bad");
  mark(field);
  return false;
}

/** Marks one field as wrong and goes there; null takes all marks away. */
function mark(field) {
  for (const each of [text, key]) {
    each.removeAttribute("aria-invalid");
  }
  field?.setAttribute("aria-invalid", "true");
  field?.focus();
}

function restoreDraft() {
  const draft = readDraft();
  if (draft) {
    text.value = draft.text;
    say("This message was not confirmed yet. Send it again: it will not be stored twice.", "bad");
  }
}

// Not `disabled`: that would throw the keyboard focus away.
function setSending(on) {
  sending = on;
  button.setAttribute("aria-disabled", String(on));
  button.textContent = on ? "Sending…" : "Send";
}

function rememberKey() {
  sessionStorage.setItem(API_KEY, key.value);
  key.removeAttribute("aria-invalid");
}

function showCount() {
  const length = characters(text.value);
  byId("count").textContent = length.toLocaleString("en-GB");
  byId("count").parentElement.classList.toggle("over", length > LONGEST);
  text.removeAttribute("aria-invalid");
}

function sendOnCtrlEnter(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    form.requestSubmit();
  }
}

function toggleKey(event) {
  const shown = key.type === "text";
  key.type = shown ? "password" : "text";
  event.currentTarget.setAttribute("aria-pressed", String(!shown));
}

// Code points, as the API counts, and not UTF-16 units.
const characters = (value) => [...value].length;
