// A message whose fate is unknown, and the idempotency key that it was sent with.

const DRAFT = "octopus.draft";

/** The key for this text: the same one until its fate is known, also over a reload. */
export function draftKey(text) {
  const draft = readDraft();
  if (draft?.text === text) {
    return draft.key;
  }
  const fresh = { text, key: newKey() };
  sessionStorage.setItem(DRAFT, JSON.stringify(fresh));
  return fresh.key;
}

/** The draft as {text, key}, or null. */
export const readDraft = () => JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");

/** Forgets the draft: its message is stored, or never will be. */
export const dropDraft = () => sessionStorage.removeItem(DRAFT);

// Not randomUUID: browsers offer it over HTTPS only, and a local trial may use plain HTTP.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
