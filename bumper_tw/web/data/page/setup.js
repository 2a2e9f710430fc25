// The set-up page: steps turn green as the box sees them work.
import { bind, date, listen, say, send } from "./live.js";

const SKIP = "Not needed here";
const TAKE_UP = "Needed after all";

const made = (name, text = "", kind = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
};

function show(value) {
  for (const step of value.steps) showStep(step);
  const done = value.steps.filter((step) => step.done).length;
  document.getElementById("progress").textContent = `${done} of ${value.steps.length} steps were seen to work`;
  const news = value.arrivals.map(arrival);
  document.getElementById("arrivals").replaceChildren(...news);
}

function showStep(step) {
  const root = document.getElementById(`step-${step.step}`);
  if (!root) return;
  if (step.done && root.dataset.state !== "done") say(`Seen to work: ${root.querySelector("h2").textContent}`);
  bind(root, step);
  const button = root.querySelector("[data-skip]");
  button.textContent = step.skipped ? TAKE_UP : SKIP;
  button.dataset.skipped = step.skipped;
  button.hidden = step.done;
}

function arrival(each) {
  const item = made("li", "", each.sound ? "good" : "bad");
  const head = made("p");
  const when = made("time");
  when.dataset.ago = "";
  date(when, each.at);
  head.append(when, ` ${each.host}`);
  item.append(head, made("p", each.sentence));
  if (each.remedy) item.append(made("p", `What to do: ${each.remedy}`));
  return item;
}

async function skip(button) {
  button.disabled = true;
  try {
    const skipped = button.dataset.skipped !== "true";
    show(await send("POST", `/api/setup/${button.dataset.skip}/skip`, { skipped }));
  } catch (error) {
    say(error.message, true);
  } finally {
    button.disabled = false;
  }
}

// Browsers keep the clipboard for encrypted pages, and this one may not be.
async function copy(button) {
  const place = document.getElementById(button.dataset.copy);
  const range = document.createRange();
  range.selectNodeContents(place);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  let done = false;
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(place.textContent);
    done = Boolean(navigator.clipboard) || document.execCommand("copy");
  } catch {
    done = document.execCommand("copy");
  }
  say(done ? "Copied." : "The text is marked: copy it with Ctrl+C.");
}

for (const button of document.querySelectorAll("[data-skip]")) {
  button.hidden = button.closest("[data-state]").dataset.state === "done";
  button.addEventListener("click", () => skip(button));
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
listen("setup", show);
