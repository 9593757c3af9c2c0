// Enhancement only: the pages are whole without it. A change on the stream fetches the page again and swaps its live part.
const part = document.querySelector("[data-live]");
const QUIET_MS = 400;

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-live]");
  const seen = new Set([...part.querySelectorAll("[data-seq]")].map((row) => row.dataset.seq));
  const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.parentElement.id));
  const focused = document.activeElement && document.activeElement.closest("[data-sample]");
  const said = part.querySelector("[data-sample-answer]")?.textContent;
  part.replaceChildren(...fresh.childNodes);
  for (const row of part.querySelectorAll("[data-seq]")) if (!seen.has(row.dataset.seq)) row.classList.add("new");
  for (const id of open) if (id) document.getElementById(id)?.querySelector("details")?.setAttribute("open", "");
  if (said) part.querySelector("[data-sample-answer]").textContent = said;
  if (focused) part.querySelector("[data-sample] button")?.focus();
  const footer = page.querySelector("[data-footer]");
  if (footer) document.querySelector("[data-footer]")?.replaceWith(footer);
  lamp(true);
}

function lamp(on) {
  for (const one of document.querySelectorAll(".live")) one.classList.toggle("on", on);
}

if (part) {
  let waiting = 0;
  const source = new EventSource(part.dataset.stream);
  source.addEventListener("open", () => lamp(true));
  source.addEventListener("error", () => lamp(false));
  source.addEventListener("grade", () => {
    if (waiting) return;
    waiting = setTimeout(async () => {
      waiting = 0;
      await refresh().catch(() => lamp(false));
    }, QUIET_MS);
  });
  addEventListener("pagehide", () => source.close());
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-sample]")) return;
  event.preventDefault();
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(event.target.action, { method: "POST", headers: { accept: "application/json" } });
    const said = await answer.json();
    const line = document.querySelector("[data-sample-answer]");
    if (line) line.textContent = said.message ?? said.detail ?? said.title ?? "";
  } finally {
    const now = document.querySelector("[data-sample] button") ?? button;
    now.disabled = false;
  }
});
