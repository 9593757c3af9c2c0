// The slider of "known at", live: the row is marked, the comparison follows, the address stays true. Without this the button does the same.
const range = document.querySelector(".slider input[type=range]");
const rows = new Map([...document.querySelectorAll(".known a")].map((row) => [row.dataset.step, row]));
const output = document.querySelector(".slider output");
let waiting;

function mark(chosen) {
  for (const row of rows.values()) row.removeAttribute("aria-current");
  chosen.setAttribute("aria-current", "true");
  output.textContent = chosen.querySelector(".when").textContent;
}

async function follow(chosen) {
  const answer = await fetch(chosen.href);
  if (!answer.ok || range.value !== chosen.dataset.step) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("#compare").replaceWith(document.adoptNode(page.querySelector("#compare")));
  history.replaceState(null, "", chosen.href);
}

range?.addEventListener("input", () => {
  const chosen = rows.get(range.value);
  clearTimeout(waiting);
  if (chosen) {
    mark(chosen);
    waiting = setTimeout(() => follow(chosen), 150);
  }
});
