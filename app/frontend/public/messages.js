// The list: newest first, older ones on demand, and refreshed in place.

import { listMessages } from "./client.js";
import { clock, later, moment, sameDay, silence } from "./sentences.js";

const PAGE = 20;
const LARGEST_PAGE = 100;
const MOST_SHOWN = 500;

const byId = (id) => document.getElementById(id);
const [list, note, older] = [byId("messages"), byId("list-note"), byId("older")];

const shown = new Map();
let messages = [];
let next = null;
let paged = false;
let loaded = false;

/** Reads the top of the list again; answers "changed", "same" or "failed". */
export async function refreshMessages() {
  const answer = await listMessages(Math.min(LARGEST_PAGE, Math.max(PAGE, messages.length)));
  if (!answer.ok) {
    note.textContent = loaded ? `${silence(answer)} What you see may be old.` : silence(answer);
    return "failed";
  }
  const before = JSON.stringify(messages);
  merge(answer.body);
  draw();
  note.textContent = messages.length ? `As of ${clock()}.` : "No messages yet. Send the first one.";
  return JSON.stringify(messages) === before ? "same" : "changed";
}

/** Appends the next page, and leads the keyboard to it. */
export async function showOlder() {
  const cursor = next;
  // From now on a refresh keeps what is below its page, or this page would leave a gap.
  paged = true;
  const answer = await listMessages(PAGE, cursor);
  if (!answer.ok) {
    announce(silence(answer));
    note.textContent = silence(answer);
    return;
  }
  if (cursor !== next) {
    return;
  }
  const known = new Set(messages.map((message) => message.id));
  const added = answer.body.items.filter((message) => !known.has(message.id));
  messages = [...messages, ...added];
  next = answer.body.next ?? null;
  draw();
  announce(`${added.length} older messages shown${next === null ? ", the last ones" : ""}.`);
  shown.get(added[0]?.id)?.focus();
}

/** The message with this id if it is in the list. */
export const findMessage = (id) => messages.find((message) => message.id === id);

function merge(page) {
  const last = page.items.at(-1);
  const place = paged && last ? messages.findIndex((message) => message.id === last.id) : -1;
  if (place < 0) {
    messages = page.items;
    next = page.next ?? null;
    return;
  }
  messages = [...page.items, ...messages.slice(place + 1)];
  if (messages.length > MOST_SHOWN) {
    messages = messages.slice(0, MOST_SHOWN);
    next = messages.at(-1).id;
  }
}

/** Brings the page in line with the messages; nodes that stay are never touched or moved. */
function draw() {
  const wanted = new Set(messages.map((message) => message.id));
  for (const [id, node] of shown) {
    if (!wanted.has(id)) {
      node.remove();
      shown.delete(id);
    }
  }
  let place = list.firstElementChild;
  for (const message of messages) {
    const node = shown.get(message.id) ?? create(message);
    fill(node, message);
    if (node === place) {
      place = place.nextElementSibling;
    } else {
      list.insertBefore(node, place);
    }
  }
  older.hidden = next === null;
  loaded = true;
}

function create(message) {
  const node = byId("message").content.firstElementChild.cloneNode(true);
  node.classList.toggle("new", loaded);
  node.querySelector(".text").textContent = message.text;
  node.querySelector(".id").textContent = `#${message.id}`;
  node.querySelector(".created").textContent = moment(message.created_at);
  node.querySelector(".created").dateTime = message.created_at;
  shown.set(message.id, node);
  return node;
}

function fill(node, message) {
  const state = node.querySelector(".state");
  if (state.dataset.state === message.status) {
    return;
  }
  state.dataset.state = message.status;
  state.textContent = message.status;
  const fate = node.querySelector(".fate");
  fate.textContent = fateOf(message);
  fate.hidden = fate.textContent === "";
}

function fateOf(message) {
  if (!message.logged_at) {
    return message.dead_reason ? `given up: ${message.dead_reason}` : "";
  }
  const { created_at: from, logged_at: until } = message;
  const time = sameDay(from, until) ? clock(new Date(until)) : moment(until);
  return [`logged ${time}`, later(from, until)].filter(Boolean).join(", ");
}

function announce(sentence) {
  byId("list-result").textContent = sentence;
}
