// A field app's client in plain JavaScript: no library, runs in browsers (WebCrypto) and in Node 20 or later.
// What it must do is in schemas/README.md; the numbers below are that page's steps. field_app.html is a page round it.

const text = new TextEncoder();
const MAX_DEPTH = 32;

export class NotCanonical extends Error {}

/** 1. The canonical text of a value. Throws NotCanonical for what has no such form. */
export function canonicalText(value, depth = 0) {
  if (value === null || value === true || value === false) return String(value);
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new NotCanonical("a string holds half of a surrogate pair");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new NotCanonical('only integers within ±(2⁵³−1); send decimals as strings such as "97.5"');
    return String(value === 0 ? 0 : value); // −0 is written 0
  }
  if (typeof value !== "object") throw new NotCanonical(`${typeof value} is not a JSON value`);
  if (depth >= MAX_DEPTH) throw new NotCanonical(`nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return `[${value.map((one) => canonicalText(one, depth + 1)).join(",")}]`;
  const pairs = Object.keys(value).sort().map((key) => {
    if (!/^[\x00-\x7f]*$/.test(key)) throw new NotCanonical("keys must be ASCII");
    return `${JSON.stringify(key)}:${canonicalText(value[key], depth + 1)}`;
  });
  return `{${pairs.join(",")}}`;
}

export const canonicalBytes = (value) => text.encode(canonicalText(value));

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const b64 = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

/** Strict base64url without padding: one text for the same bytes. */
export function unb64(value) {
  if (!/^[A-Za-z0-9_-]*$/.test(value) || value.length % 4 === 1) throw new Error("not base64url without padding");
  const bytes = Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
  if (b64(bytes) !== value) throw new Error("base64url with stray bits");
  return bytes;
}

export const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
export const eventHash = async (event) => hex(await sha256(canonicalBytes(event)));

// 2. Keys. In the browser the private key is not extractable: it can sign, and nobody can copy it, this page included.
const GENERATE = { Ed25519: { name: "Ed25519" }, ES256: { name: "ECDSA", namedCurve: "P-256" } };
const SIGN = { Ed25519: { name: "Ed25519" }, ES256: { name: "ECDSA", hash: "SHA-256" } };

export async function keyId(alg, raw) {
  return hex(await sha256(new Uint8Array([...text.encode(alg), 0, ...raw]))).slice(0, 32);
}

/** {alg, key_id, public_key, privateKey}: the first three go to the registrar. */
export async function makeKey(alg = "ES256") {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(GENERATE[alg], false, ["sign", "verify"]);
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return { alg, key_id: await keyId(alg, raw), public_key: b64(raw), privateKey };
}

// 3. Events.
/** UUIDv7 (RFC 9562): the device makes it once and keeps it. */
export function uuid7(ms = Date.now(), random = crypto.getRandomValues(new Uint8Array(10))) {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(ms) << 16n);
  bytes.set(random, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function newEvent({ source, type, subject, data, ms = Date.now() }) {
  const time = new Date(ms).toISOString();
  return { specversion: "1.0", id: uuid7(ms), source, type, subject, time, datacontenttype: "application/json", data };
}

/** Hex HMAC-SHA-256, keyed with the salt, over field + line feed + value. */
export async function commit(field, value, salt) {
  const key = await crypto.subtle.importKey("raw", salt, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", key, text.encode(`${field}\n${value}`))));
}

/** 4. Signs an event. Values in `secrets` ({field: value}) go beside it; the event only commits to them. */
export async function submission(event, key, secrets = {}) {
  const beside = {};
  const commitments = { ...event.data.commitments };
  for (const [field, value] of Object.entries(secrets)) {
    const salt = crypto.getRandomValues(new Uint8Array(16));
    commitments[field] = await commit(field, value, salt);
    beside[field] = { value, salt: b64(salt) };
  }
  const hidden = Object.keys(beside).length > 0;
  const signed = hidden ? { ...event, data: { ...event.data, commitments } } : event;
  const value = new Uint8Array(await crypto.subtle.sign(SIGN[key.alg], key.privateKey, canonicalBytes(signed)));
  const signature = { key_id: key.key_id, alg: key.alg, value: b64(value) };
  return hidden ? { event: signed, signature, private: beside } : { event: signed, signature };
}

/** Whether `signature` over `body` is by this key ({alg, public_key}). Whatever else is given, the answer is false. */
export async function verify(body, signature, key) {
  try {
    if (signature.alg !== key.alg) return false;
    const value = unb64(signature.value);
    if (value.length !== 64) return false;
    const publicKey = await crypto.subtle.importKey("raw", unb64(key.public_key), GENERATE[key.alg], false, ["verify"]);
    return await crypto.subtle.verify(SIGN[key.alg], publicKey, value, canonicalBytes(body));
  } catch {
    return false;
  }
}

/** 6. Whether `signed` is a receipt for exactly this event, by the receipt key that was pinned at the start. */
export async function isReceiptFor(event, signed, receiptKey) {
  const receipt = signed?.receipt;
  if (receipt?.type !== "mingjian.receipt.v1" || receipt.source !== event.source || receipt.id !== event.id) return false;
  return receipt.event_hash === (await eventHash(event)) && (await verify(receipt, signed.signature, receiptKey));
}

/** Storage for tests and for Node: what is in it is gone with the process. */
export function memoryStorage(rows = new Map()) {
  return {
    put: async (row) => void rows.set(row.id, structuredClone(row)),
    all: async () => [...rows.values()].map((row) => structuredClone(row)),
  };
}

/** Storage in the browser, which survives closing it. `store`: outbox or keys. */
export async function browserStorage(store) {
  const database = await new Promise((done, failed) => {
    const opening = indexedDB.open("mingjian-field", 1);
    opening.onupgradeneeded = () => ["outbox", "keys"].forEach((name) => opening.result.createObjectStore(name, { keyPath: "id" }));
    opening.onsuccess = () => done(opening.result);
    opening.onerror = () => failed(opening.error);
  });
  const ask = (mode, act) =>
    new Promise((done, failed) => {
      // Strict: the promise holds only when the row is on the disk.
      const transaction = database.transaction(store, mode, { durability: "strict" });
      const request = act(transaction.objectStore(store));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = transaction.onerror = () => failed(transaction.error);
    });
  return { put: (row) => ask("readwrite", (rows) => rows.put(row)), all: () => ask("readonly", (rows) => rows.getAll()) };
}

const LATER = new Set([0, 202, 408, 429, 500, 502, 503, 504]);
const AUTHORITY = new Set([401, 403]);
const BATCH = 100;

/** Whether intake itself refused this. A proxy, a captive portal or a full disk in between also answers 403, 404 or 413, and refuses nothing. */
const refuses = (status, problem) =>
  status >= 400 && !LATER.has(status) && typeof problem?.type === "string" && problem.type.startsWith("urn:mingjian:problem:");

/** 5. Keeps submissions and sends the same bytes again and again, until each has its receipt or was refused for good. */
export class Outbox {
  /** `url`: intake's, "" where the page comes from the same place. `receiptKey`: {alg, public_key}. */
  constructor({ url = "", receiptKey, storage = memoryStorage(), channel = "field", fetch = globalThis.fetch.bind(globalThis) }) {
    Object.assign(this, { url, receiptKey, storage, channel, fetch });
  }

  /** Resolves when the submission is kept: from then on it will be sent. */
  async add(made) {
    await this.storage.put({ id: made.event.id, state: "waiting", body: canonicalText(made), attempts: 0 });
  }

  async rows() {
    return (await this.storage.all()).sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** One attempt with what is waiting, oldest first. Returns {entered, refused, waiting, pause}: pause in ms, as intake asked. */
  async sendOnce() {
    const rows = (await this.rows()).filter((row) => row.state === "waiting").slice(0, BATCH);
    let pause = 0;
    if (rows.length > 1) {
      const answer = await this.#post("/api/v1/events:batch", `{"events":[${rows.map((row) => row.body).join(",")}]}`);
      pause = answer.pause;
      const results = answer.status === 200 ? answer.body?.results : null;
      // A batch that is refused as a whole says nothing about its events: they go one by one.
      if (Array.isArray(results) && results.length === rows.length) {
        for (const [place, row] of rows.entries()) await this.#settle(row, results[place]?.status, results[place], results[place]?.problem);
      } else if (refuses(answer.status, answer.problem)) {
        for (const row of rows) pause = Math.max(pause, await this.#sendRow(row));
      }
    } else if (rows.length) pause = await this.#sendRow(rows[0]);
    const counts = { entered: 0, refused: 0, waiting: 0, pause };
    for (const row of await this.rows()) counts[row.state] += 1;
    return counts;
  }

  /** Attempts until nothing waits or `patience` ms are over. Resolves to the last counts. */
  async sendAll({ patience = 60_000, first = 200, longest = 300_000 } = {}) {
    const until = Date.now() + patience;
    for (let pause = first; ; pause = Math.min(pause * 2, longest)) {
      const counts = await this.sendOnce();
      const rest = Math.max(pause, counts.pause);
      if (!counts.waiting || Date.now() + rest > until) return counts;
      await new Promise((done) => setTimeout(done, rest));
    }
  }

  /** Lets what was refused for want of authority wait again, once the key is registered or the role granted. Resolves to how many. */
  async again() {
    const rows = (await this.rows()).filter((row) => row.state === "refused" && AUTHORITY.has(row.problem?.status));
    for (const row of rows) await this.storage.put({ ...row, state: "waiting" });
    return rows.length;
  }

  async #sendRow(row) {
    const answer = await this.#post("/api/v1/events", row.body);
    await this.#settle(row, answer.status, answer.body, answer.problem);
    return answer.pause;
  }

  async #post(path, body) {
    const headers = { "content-type": "application/json", "mingjian-channel": this.channel };
    try {
      const answer = await this.fetch(this.url + path, { method: "POST", headers, body });
      const pause = 1000 * (Number(answer.headers.get("retry-after")) || 0);
      const said = await answer.json().catch(() => null);
      const ours = (answer.headers.get("content-type") ?? "").startsWith("application/problem+json");
      return { status: answer.status, body: said, problem: ours ? said : null, pause };
    } catch {
      return { status: 0, body: null, problem: null, pause: 0 }; // no network: the everyday case in the field
    }
  }

  async #settle(row, status, body, found) {
    row.attempts += 1;
    const signed = body?.receipt?.receipt ? body.receipt : body; // within a batch the receipt stands one level deeper
    if (status >= 200 && status < 300 && signed?.receipt) {
      const good = await isReceiptFor(JSON.parse(row.body).event, signed, this.receiptKey);
      // A receipt that doesn't verify proves nothing, so the submission stays and is sent again.
      Object.assign(row, good ? { state: "entered", receipt: signed, problem: null } : { problem: { title: "the receipt does not verify" } });
    } else if (refuses(status, found)) {
      const { refusal = null, ...problem } = { ...found, refusal: body.refusal };
      Object.assign(row, { state: "refused", problem, refusal }); // signed by intake: it proves that this was tried, and when
    }
    await this.storage.put(row);
  }
}
