// The only file that talks to the API.

const PATIENCE_MS = 10000;

/**
 * Sends one request and never throws.
 * The answer's status is 0 when nobody answered in time; retryAfter is in seconds, or null.
 */
export async function ask(path, options = {}) {
  try {
    const response = await fetch(path, { cache: "no-store", signal: deadline(), ...options });
    const body = await response.json().catch(() => ({}));
    const retryAfter = seconds(response.headers.get("Retry-After"));
    return { status: response.status, ok: response.ok, body: body ?? {}, retryAfter };
  } catch {
    return { status: 0, ok: false, body: {}, retryAfter: null };
  }
}

/** Stores one message; the same idempotency key never stores it twice. */
export function sendMessage(text, apiKey, idempotencyKey) {
  return ask("/api/messages", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-API-Key": apiKey,
      "Idempotency-Key": idempotencyKey,
    },
    body: JSON.stringify({ text }),
  });
}

/** One page of messages, newest first; `before` is the `next` of the page above, or null. */
export async function listMessages(limit, before = null) {
  const query = new URLSearchParams({ limit });
  if (before !== null) {
    query.set("before", before);
  }
  const answer = await ask(`/api/messages?${query}`);
  return { ...answer, ok: answer.ok && Array.isArray(answer.body.items) };
}

export const getMessage = (id) => ask(`/api/messages/${encodeURIComponent(id)}`);

function deadline() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), PATIENCE_MS);
  return controller.signal;
}

/** Retry-After holds seconds or a date. */
function seconds(header) {
  if (!header) {
    return null;
  }
  const value = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(value) ? Math.max(1, Math.ceil(value)) : null;
}
