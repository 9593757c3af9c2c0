// Runs examples/field_app.mjs against every vector, in Node or in a browser. `load(name)` gives a vector file as an object.
import * as app from "../../examples/field_app.mjs";

const words = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

async function throwsIn(act) {
  try {
    await act();
    return false;
  } catch {
    return true;
  }
}

async function signingKeys(keys) {
  const { Ed25519, ES256 } = keys;
  const seed = Uint8Array.from(Ed25519.seed_hex.match(/../g), (pair) => parseInt(pair, 16));
  const prefix = Uint8Array.from("302e020100300506032b657004220420".match(/../g), (pair) => parseInt(pair, 16));
  const ed = await crypto.subtle.importKey("pkcs8", new Uint8Array([...prefix, ...seed]), { name: "Ed25519" }, false, ["sign"]);
  const point = app.unb64(ES256.public_key);
  const scalar = Uint8Array.from(ES256.scalar_hex.match(/../g), (pair) => parseInt(pair, 16));
  const [d, x, y] = [scalar, point.slice(1, 33), point.slice(33)].map(app.b64);
  const jwk = { kty: "EC", crv: "P-256", d, x, y };
  const es = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  return { Ed25519: { ...Ed25519, privateKey: ed }, ES256: { ...ES256, privateKey: es } };
}

const checks = {
  canonical: async ({ text_b64, canonical_b64, sha256 }) => {
    const made = app.canonicalBytes(JSON.parse(words.decode(app.unb64(text_b64))));
    return app.b64(made) === canonical_b64 && app.hex(await app.sha256(made)) === sha256;
  },
  // A client that only writes meets the values; the texts are a reader's business.
  refused: ({ level, text_b64 }) =>
    level === "text" || throwsIn(() => app.canonicalBytes(JSON.parse(words.decode(app.unb64(text_b64))))),
  events: async ({ event, canonical_b64, event_hash, signatures }, { keys }) => {
    if (app.b64(app.canonicalBytes(event)) !== canonical_b64 || (await app.eventHash(event)) !== event_hash) return false;
    for (const signature of signatures) {
      const key = keys[signature.alg];
      if (signature.key_id !== key.key_id || !(await app.verify(event, signature, key))) return false;
      if (await app.verify({ ...event, id: "other" }, signature, key)) return false;
      const made = await app.submission(event, key);
      if (!(await app.verify(made.event, made.signature, key))) return false;
      if (signature.alg === "Ed25519" && made.signature.value !== signature.value) return false;
    }
    return true;
  },
  bad_signatures: async ({ signature }, { keys, file }) => {
    const key = Object.values(keys).find((one) => one.key_id === signature.key_id);
    return !(await app.verify(file.event, signature, key));
  },
  receipts: async ({ part, event, signed, canonical_b64, valid }, { keys }) => {
    if (app.b64(app.canonicalBytes(signed[part])) !== canonical_b64) return false;
    if (part === "receipt") return (await app.isReceiptFor(event, signed, keys.Ed25519)) === valid;
    return (await app.verify(signed[part], signed.signature, keys.Ed25519)) === valid;
  },
  commitments: async ({ field, value, salt, commitment }) => (await app.commit(field, value, app.unb64(salt))) === commitment,
  keys: async ({ alg, public_key, key_id }) => (await app.keyId(alg, app.unb64(public_key))) === key_id,
};

/** Returns {passed, failed: [name, …]}. */
export async function run(load) {
  const keys = await signingKeys((await load("keys")).test_keys);
  const result = { passed: 0, failed: [] };
  for (const [name, check] of Object.entries(checks)) {
    const file = await load(name);
    for (const one of file.cases) {
      const good = await Promise.resolve(check(one, { keys, file })).catch(() => false);
      if (good) result.passed += 1;
      else result.failed.push(`${name}: ${one.name}`);
    }
  }
  return result;
}
