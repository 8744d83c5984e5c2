// What the page says, in whole sentences.

const timeFormat = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clockFormat = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

export const moment = (iso) => format(timeFormat, new Date(iso));
export const clock = (date = new Date()) => format(clockFormat, date);

export const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** Why a message was not accepted, and what to do about it. */
export function refusal({ status, body, retryAfter }) {
  const detail = typeof body.detail === "string" ? ` The API says: ${body.detail}` : "";
  const sentences = {
    0: "The server did not answer. Your text is kept here: send it again, it will not be stored twice.",
    401: "The API key is not accepted. Check it and send again.",
    409: "This message is still being stored. Wait a moment and send it again.",
    413: "The message is too large. Please shorten it.",
    415: `The API did not accept the kind of data sent. Reload the page and try again.${detail}`,
    422: `The message is not acceptable.${detail}`,
    429: `Too many messages at once. Try again ${wait(retryAfter)}.`,
  };
  return sentences[status] ?? (status >= 500 ? unavailable(status, retryAfter) : unexpected(status, detail));
}

/** Why nothing could be read; for the list and the greeting. */
export function silence({ status, retryAfter }) {
  if (status === 0) {
    return "The server does not answer.";
  }
  if (status === 429) {
    return `The server is busy. Trying again ${wait(retryAfter)}.`;
  }
  return `The API is not available at the moment (answer ${status}).`;
}

/** "0.4 s later", or nothing when the times do not say. */
export function later(from, until) {
  const passed = (new Date(until) - new Date(from)) / 1000;
  if (!Number.isFinite(passed) || passed < 0) {
    return "";
  }
  return passed < 100 ? `${passed.toFixed(1)} s later` : `${Math.round(passed / 60)} min later`;
}

function unavailable(status, retryAfter) {
  return `The API is not available at the moment (answer ${status}). Your text is kept here: ` +
    `send it again ${wait(retryAfter)}, it will not be stored twice.`;
}

const unexpected = (status, detail) => `The API gave an unexpected answer (${status}).${detail}`;

function wait(retryAfter) {
  if (!retryAfter) {
    return "in a moment";
  }
  return retryAfter === 1 ? "in 1 second" : `in ${retryAfter} seconds`;
}

function format(formatter, date) {
  return Number.isNaN(date.getTime()) ? "" : formatter.format(date);
}
