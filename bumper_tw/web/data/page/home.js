// The first page: cards follow their robots, and their buttons run them.
import { bind, listen, say, send, sentence } from "./live.js";

const list = document.getElementById("cards");
const blank = document.getElementById("card").content.querySelector("li");
const some = document.getElementById("rest") !== null; // there are robots that are not shown
const cards = new Map(); // by the id of the robot: its line in the list
const order = new Intl.Collator("en-GB", { sensitivity: "base", numeric: true });

const MOVING = ["cleaning", "returning", "washing"];
const HOME = ["docked", "charging", "washing"];
const ASKED = {
  clean: (name) => `${name} was asked to clean.`,
  resume: (name) => `${name} was asked to go on.`,
  pause: (name) => `${name} was asked to pause.`,
  dock: (name) => `${name} was asked to go home.`,
};

const face = (line) => line.querySelector(".card");
const name = (line) => line.querySelector("h2").textContent;

// What can be pressed, by how the robot is.
function settle(line) {
  const { state, online } = face(line).dataset;
  const [go, pause, dock] = line.querySelectorAll("button");
  const paused = state === "paused";
  go.dataset.action = paused ? "resume" : "clean";
  go.querySelector("[data-word]").textContent = paused ? "Go on" : "Clean";
  const known = state !== "unknown";
  const moving = MOVING.includes(state);
  go.classList.toggle("primary", !moving);
  pause.classList.toggle("primary", moving);
  able(go, online === "true" && state !== "cleaning");
  able(pause, online === "true" && (!known || moving));
  able(dock, online === "true" && (!known || !HOME.includes(state)));
}

// The one that was just pressed keeps the focus, and says that it cannot be pressed again.
function able(button, can) {
  button.disabled = !can && button !== document.activeElement;
  button.setAttribute("aria-disabled", String(!can));
}

async function run(button, line) {
  if (button.getAttribute("aria-disabled") === "true" || button.getAttribute("aria-busy")) return;
  const action = button.dataset.action;
  const did = face(line).dataset.did;
  button.setAttribute("aria-busy", "true");
  try {
    const said = await send("POST", `/api/robots/${encodeURIComponent(did)}/actions/${action}`, {});
    if (said.ok === false) say(`${name(line)} refused: ${sentence(said.error)}`, true);
    else say(ASKED[action](name(line)));
  } catch (wrong) {
    say(`${name(line)}: ${wrong.message}`, true);
  } finally {
    button.removeAttribute("aria-busy");
    settle(line);
  }
}

function attach(line, did) {
  cards.set(did, line);
  line.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) run(button, line);
  });
  line.addEventListener("focusout", () => setTimeout(settle, 0, line));
  settle(line);
}

function place(line) {
  const after = [...list.children].find((each) => each !== line && order.compare(name(each), name(line)) > 0);
  if (line.parentNode !== list || line.nextElementSibling !== (after ?? null)) list.insertBefore(line, after ?? null);
}

function count() {
  if (some) return;
  const all = [...cards.values()];
  const here = all.filter((line) => face(line).dataset.online === "true").length;
  const text = all.length ? `${all.length} robot${all.length === 1 ? "" : "s"}, ${here} connected` : "";
  document.getElementById("counts").textContent = text;
  document.getElementById("empty").hidden = all.length > 0;
}

function changed(card) {
  let line = cards.get(card.did);
  const isNew = !line;
  if (isNew && some) return;
  if (isNew) {
    line = blank.cloneNode(true);
    face(line).dataset.did = card.did;
    line.querySelector("h2 a").setAttribute("href", `/robots/${encodeURIComponent(card.did)}`);
    attach(line, card.did);
  }
  const before = isNew ? null : name(line);
  bind(face(line), card);
  settle(line);
  if (before !== card.name) place(line);
  count();
}

function gone(did) {
  const line = cards.get(did);
  if (!line) return;
  if (line.contains(document.activeElement)) document.getElementById("main").focus();
  line.remove();
  cards.delete(did);
  count();
}

for (const line of list.children) attach(line, face(line).dataset.did);
listen("robot", changed);
listen("gone", ({ did }) => gone(did));
listen("reset", ({ cards: all }) => {
  const known = new Set(all.map((card) => card.did));
  for (const did of [...cards.keys()]) if (!known.has(did)) gone(did);
});
