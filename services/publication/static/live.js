// Enhancement only: the pages are whole without it. A change on the stream fetches the page again and swaps its live part.
const part = document.querySelector("[data-live]");
const QUIET_MS = 400;
const FIRST_MS = 1000;
const LONGEST_MS = 30000;
let source = null;
let due = 0;
let pause = FIRST_MS;

function lamp() {
  const on = source?.readyState === EventSource.OPEN;
  for (const one of document.querySelectorAll(".live")) {
    one.classList.toggle("on", on);
    one.textContent = on ? one.dataset.on : one.dataset.off;
  }
}

// What has the focus lies in the part that is swapped: say how to find its like there.
function finder(element) {
  if (!element || !part.contains(element)) return () => null;
  const box = element.closest("[id]")?.id;
  const link = element.closest("a")?.getAttribute("href");
  const within = () => document.getElementById(box) ?? part;
  if (link) return () => [...within().querySelectorAll("a"), ...part.querySelectorAll("a")].find((one) => one.getAttribute("href") === link);
  return () => within().querySelector(element.tagName);
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) throw new Error(`the page answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-live]");
  const seen = new Set([...part.querySelectorAll("[data-seq]")].map((row) => row.dataset.seq));
  const open = [...part.querySelectorAll("details[open]")].map((one) => one.closest("[id]")?.id).filter(Boolean);
  const find = finder(document.activeElement);
  const said = part.querySelector("[data-sample-answer]")?.textContent;
  // What is being written into a form stays, and so does the place in it.
  const form = part.querySelector("[data-keep]");
  const writing = form?.contains(document.activeElement) ? document.activeElement : null;
  part.replaceChildren(...fresh.childNodes);
  if (form) part.querySelector("[data-keep]")?.replaceWith(form);
  part.dataset.stream = fresh.dataset.stream;
  for (const row of part.querySelectorAll("[data-seq]")) if (!seen.has(row.dataset.seq)) row.classList.add("new");
  for (const id of open) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
  if (said) part.querySelector("[data-sample-answer]").textContent = said;
  (writing ?? find())?.focus({ preventScroll: true });
  const footer = page.querySelector("[data-footer]");
  if (footer) document.querySelector("[data-footer]")?.replaceWith(footer);
  lamp();
}

// One look for a burst of changes. A look that fails is made again, later and later; it also opens a stream that was refused,
// because a browser comes back by itself after a cut, but never after an answer such as 503 or 410.
function look(after) {
  if (due) return;
  due = setTimeout(async () => {
    try {
      await refresh();
      due = 0;
      if (!source || source.readyState === EventSource.CLOSED) listen();
    } catch {
      due = 0;
      again();
    }
  }, after);
}

function again() {
  look(pause);
  pause = Math.min(2 * pause, LONGEST_MS);
}

function listen() {
  const mine = new EventSource(part.dataset.stream);
  source = mine;
  mine.addEventListener("open", () => {
    pause = FIRST_MS;
    lamp();
  });
  mine.addEventListener("error", () => {
    lamp();
    if (mine === source && mine.readyState === EventSource.CLOSED) again();
  });
  for (const name of ["grade", "suspended", "resumed"]) mine.addEventListener(name, () => look(QUIET_MS));
}

if (part) {
  lamp();
  listen();
  addEventListener("pagehide", () => {
    source?.close();
    clearTimeout(due);
    due = 0;
  });
  // A page that comes out of the browser's memory has slept: what it shows may be old.
  addEventListener("pageshow", (event) => {
    if (event.persisted) look(0);
  });
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-sample]")) return;
  event.preventDefault();
  const button = event.target.querySelector("button");
  const say = (text) => {
    const line = document.querySelector("[data-sample-answer]");
    if (line) line.textContent = text;
  };
  button.disabled = true;
  try {
    const answer = await fetch(event.target.action, { method: "POST", headers: { accept: "application/json" } });
    const said = await answer.json();
    say(said.message ?? said.detail ?? said.title ?? "");
  } catch {
    say(event.target.dataset.failed);
  } finally {
    for (const one of [button, document.querySelector("[data-sample] button")]) if (one) one.disabled = false;
  }
});
