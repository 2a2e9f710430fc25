// A robot's page: tell it what to do, see what became of it, and change what it is called.
import { ask, date, listen, say, send, sentence } from "/page/live.js";

const part = (id) => document.getElementById(id);
const panel = part("actions");
const did = (panel ?? part("naming") ?? part("commands"))?.dataset.did ?? "";
const api = `/api/robots/${encodeURIComponent(did)}`;
const KEPT = 50; // commands that the box itself keeps
const CORNERS = ["x1", "y1", "x2", "y2"];

function made(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// One thing at a time by one button, and whoever waits sees that.
async function during(button, deed) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    await deed();
  } catch (wrong) {
    say(wrong.message, true);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// What a robot has done that is not plain from the button.
const DONE = {
  refresh: () => "The robot has told how it is.",
  locate: () => "The robot should be heard now.",
  suction: (label) => `${label} is set.`,
  water: (label) => `${label} is set.`,
  volume: (label) => `${label} is set.`,
};

// What is chosen in a form, as the API takes it.
function chosen(form) {
  const found = {};
  for (const field of form.elements) {
    if (!field.name || CORNERS.includes(field.name)) continue;
    if (field.type === "checkbox") {
      found[field.name] ??= [];
      if (field.checked) found[field.name].push(field.value);
    } else if (field.name) found[field.name] = Number(field.value);
  }
  const corners = CORNERS.map((name) => form.elements[name]);
  if (corners.every(Boolean)) found.zones = [corners.map((field) => Number(field.value))];
  return Object.keys(found).length ? found : undefined;
}

function missing(form) {
  const boxes = form.querySelectorAll("input[name=rooms]");
  if (boxes.length && ![...boxes].some((box) => box.checked)) return "Choose at least one room.";
  const empty = CORNERS.some((name) => form.elements[name]?.value === "");
  return empty ? "Draw a zone on the map, or fill in where it is." : "";
}

async function act(form) {
  const lacking = missing(form);
  if (lacking) return say(lacking, true);
  const given = chosen(form);
  const label = form.getAttribute("aria-label");
  const answer = await send("POST", `${api}/actions/${form.dataset.action}`, given ? { arguments: given } : {});
  if (answer.ok) say(DONE[form.dataset.action]?.(label) ?? `${label}: the robot said yes.`);
  else say(`${label}: the robot did not. It said: ${sentence(answer.error)}`, true);
}

// The same for other programs; anew whenever something else is chosen.
async function showAs(form) {
  const ways = form.querySelector(".ways");
  const given = chosen(form);
  if (missing(form)) return ways.replaceChildren(made("p", missing(form), { class: "hint" }));
  const query = given ? `?arguments=${encodeURIComponent(JSON.stringify(given))}` : "";
  try {
    const answer = await send("GET", `${api}/actions/${form.dataset.action}/as${query}`);
    ways.replaceChildren(...answer.ways.map(way));
  } catch (wrong) {
    ways.replaceChildren(made("p", wrong.message, { class: "hint" }));
  }
}

function way({ title, text, note }) {
  const box = made("div", "", { class: "way" });
  const copy = made("button", "Copy", { type: "button", class: "quiet", "aria-label": `Copy: ${title}` });
  copy.addEventListener("click", () => copied(copy, text));
  const code = made("pre", "", { tabindex: "0" });
  code.append(made("code", text));
  box.append(made("h3", title));
  if (note) box.append(made("p", note, { class: "hint" }));
  box.append(code, copy);
  return box;
}

async function copied(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    // Without encryption browsers have no clipboard: the text is marked instead.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    say("Marked: copy it with your browser.");
  }
}

let waiting = 0;
function changed(form) {
  const open = form.querySelector("details.as[open]");
  clearTimeout(waiting);
  if (open) waiting = setTimeout(() => showAs(form), 250);
}

part("others")?.addEventListener("change", (event) =>
  panel.classList.toggle("shown-as", event.target.checked));

for (const form of panel?.querySelectorAll("form.action") ?? []) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!button.disabled) during(button, () => act(form));
  });
  form.addEventListener("input", () => changed(form));
  form.querySelector("details.as").addEventListener("toggle", () => changed(form));
}

// Rooms to choose from, as soon as the map has some.
const choosing = panel?.querySelector("form[data-action=rooms]");
let reading = false;
let tapped = new Set(); // rooms that are chosen on the map

async function rooms(heard) {
  if (heard.did !== did || !choosing?.hidden || reading) return;
  reading = true;
  try {
    const { actions } = await send("GET", `${api}/actions`);
    const found = actions.find((each) => each.name === "rooms")?.arguments.find((each) => each.kind === "rooms");
    choosing.querySelector(".choices").replaceChildren(...(found?.choices ?? []).map(box));
    choosing.hidden = !found?.choices.length;
  } catch {
    // With the next change of the map it is tried again.
  } finally {
    reading = false;
  }
}

function box({ value, label }, place) {
  const id = `rooms-rooms-${place}`;
  const line = made("label", "", { for: id });
  const field = made("input", "", { type: "checkbox", id, name: "rooms", value });
  field.checked = tapped.has(field.value);
  line.append(field, label);
  return line;
}

function reachable(online) {
  panel.dataset.online = online;
  part("away").hidden = online;
  for (const button of panel.querySelectorAll("button[type=submit]")) button.disabled = !online;
}

// What the robot is set to now; not under the fingers of whoever is choosing.
function set(action, value) {
  const field = panel.querySelector(`form[data-action=${action}] [name=level]`);
  if (field && value !== null && value !== undefined && field !== document.activeElement) {
    const known = { standard: 0, strong: 1 };
    field.value = String(known[value] ?? value);
  }
}

if (panel) {
  listen("robot", (card) => {
    if (card.did !== did) return;
    reachable(card.online);
    set("suction", card.suction);
    set("water", card.water);
    set("volume", card.volume);
  });
  listen("map", rooms);
  window.addEventListener("rooms-chosen", (event) => {
    tapped = new Set(event.detail.rooms);
    for (const box of panel.querySelectorAll("input[name=rooms]")) box.checked = tapped.has(box.value);
    panel.querySelector("form[data-action=rooms]")?.dispatchEvent(new Event("input"));
  });
  window.addEventListener("zone-drawn", (event) => {
    const form = panel.querySelector("form[data-action=zone]");
    if (!form) return;
    for (const name of CORNERS) form.elements[name].value = Math.round(event.detail[name]);
    form.dispatchEvent(new Event("input"));
  });
}

// The last commands
const TROUBLE = new Set(["timeout", "refused", "offline", "garbled", "unsendable", "busy", "failed"]);
const rows = part("command-rows");

function row(entry) {
  const line = made("tr", "", { "data-number": entry.number, "data-outcome": entry.outcome });
  const when = made("time", "", { "data-ago": "" });
  date(when, entry.at);
  const words = TROUBLE.has(entry.outcome) ? made("span", entry.words, { class: "badge bad" }) : entry.words;
  const name = [entry.what && `${entry.what} `, made("span", entry.name, { class: "mono quiet" })];
  const cells = [[when], name, [words], [entry.seconds.toFixed(2)], [entry.by]];
  const kinds = ["", "", "words", "number", ""];
  cells.forEach((content, place) => {
    const cell = made("td", "", { class: kinds[place] });
    cell.append(...content);
    line.append(cell);
  });
  return line;
}

if (rows) {
  listen("command", (entry) => {
    if (entry.did !== did || rows.querySelector(`tr[data-number="${Number(entry.number)}"]`)) return;
    part("no-commands").hidden = true;
    rows.prepend(row(entry));
    while (rows.children.length > KEPT) rows.lastElementChild.remove();
  });
}

// What it has told
part("telemetry-again")?.addEventListener("click", ({ currentTarget: button }) =>
  during(button, async () => {
    const { status } = await send("GET", `${api}/status`);
    part("no-telemetry").hidden = Object.keys(status).length > 0;
    part("telemetry-kinds").replaceChildren(...Object.entries(status).map(told));
    say("Read again.");
  }),
);

function told([kind, { age, ...values }]) {
  const box = made("div");
  const name = made("dt", `${kind} `);
  name.append(made("span", `${Math.round(age)} s ago`, { class: "quiet" }));
  const shown = made("dd");
  shown.append(made("pre", JSON.stringify(values).slice(0, 4000)));
  box.append(name, shown);
  return box;
}

// Firmware
function allowing(button, method, words) {
  part(button)?.addEventListener("click", ({ currentTarget }) =>
    during(currentTarget, async () => {
      const { allowed } = await send(method, `${api}/firmware/allow`, method === "POST" ? {} : undefined);
      part("firmware-allow").hidden = allowed;
      part("firmware-refuse").hidden = !allowed;
      part("firmware-allowed").textContent = words;
      part(allowed ? "firmware-refuse" : "firmware-allow").focus();
      say(words);
    }),
  );
}
allowing("firmware-allow", "POST", "The next update it asks for is let through, within a day.");
allowing("firmware-refuse", "DELETE", "No update is let through.");

// Name, trust, removal
const naming = part("naming");
let called = naming?.dataset.name ?? "";
listen("robot", (card) => card.did === did && (called = card.name));

part("rename")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  during(form.querySelector("button"), async () => {
    const { nick } = await send("PUT", `${api}/name`, { nick: form.elements.nick.value });
    say(nick ? `It is called ${nick} now.` : "It has no name of its own now.");
  });
});

part("trust")?.addEventListener("click", ({ currentTarget }) =>
  during(currentTarget, async () => {
    if (!(await ask("Accept a new secret?", "Whoever comes next by the name of this robot is taken for it. Do that right after its factory reset."))) return;
    await send("POST", `${api}/trust`, {});
    say("The robot is trusted with what it brings next.");
  }),
);

part("remove")?.addEventListener("click", ({ currentTarget }) =>
  during(currentTarget, async () => {
    const text = "Its history, its map and its files go, and cannot be brought back.";
    if (!(await ask(`Remove ${called}?`, text, called))) return;
    await send("DELETE", `${api}?name=${encodeURIComponent(called)}`);
    location.assign("/");
  }),
);
