// The page of one robot: how it is.  What can be done with it is robot.js, the map map.js.
import { bind, listen, say } from "./live.js";

const { did } = document.getElementById("robot").dataset;
const status = document.getElementById("status");
const parts = document.getElementById("parts");
const row = document.getElementById("part").content.querySelector("li");

function changed(card) {
  if (card.did !== did) return;
  bind(status, card);
  renamed(card.name);
  worn(card.parts);
}

function renamed(name) {
  const title = document.querySelector("h1");
  if (title.textContent === name) return;
  document.title = document.title.replace(title.textContent, () => name);
  title.textContent = name;
}

function worn(every) {
  parts.hidden = every.length === 0;
  const lines = every.map((part, number) => parts.querySelectorAll("ul > li")[number] ?? row.cloneNode(true));
  lines.forEach((line, number) => {
    bind(line, every[number]);
    line.querySelector("meter").setAttribute("aria-label", every[number].name);
  });
  parts.querySelector("ul").replaceChildren(...lines);
}

function gone() {
  status.dataset.online = "false";
  say("This robot was removed. It comes back when it connects again.", true);
}

listen("robot", changed);
listen("gone", (which) => which.did === did && gone());
listen("reset", ({ cards }) => cards.some((card) => card.did === did) || gone());
