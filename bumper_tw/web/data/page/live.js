// What all pages share: the stream of what changes, sending, saying, asking.
document.documentElement.classList.add("js");

const EARLY = 2000; // ms: a connection that is back by then was never missed
const AGAIN = 3000; // ms between tries, when the browser itself has given up; grows tenfold
const ASLEEP = 60000; // ms: a browser has six connections to a box, which all its tabs share
const SHORTLY = 10000; // ms: so long good news stand, and bad ones six times that

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const listeners = new Map();
let source = null;
let position = meta("position");
let tries = 0;
let lost = 0; // the timer that says that the connection is lost
let again = 0; // the one that tries anew
let asleep = 0; // the one that closes the stream of a tab that nobody sees

/** Call back with what is sent of a kind: "robot", "gone", "map" and so on, or "reset". */
export function listen(kind, callback) {
  const heard = listeners.get(kind) ?? [];
  listeners.set(kind, [...heard, callback]);
  if (source && heard.length === 0) source.addEventListener(kind, onEvent);
  if (!source && !again) open();
}

function open() {
  again = 0;
  source = new EventSource(`/api/events?after=${encodeURIComponent(position)}`);
  source.addEventListener("open", up);
  source.addEventListener("error", down);
  for (const kind of new Set([...listeners.keys(), "reset"])) source.addEventListener(kind, onEvent);
}

function close() {
  clearTimeout(again);
  again = 0;
  source?.close();
  source = null;
}

function onEvent(event) {
  if (event.lastEventId) position = event.lastEventId;
  const value = JSON.parse(event.data);
  // What was missed besides cards, nobody tells; a page that shows it begins anew.
  if (event.type === "reset" && !listeners.has("reset")) return location.reload();
  if (event.type === "reset") for (const card of value.cards ?? []) tell("robot", card);
  tell(event.type, value);
}

function tell(kind, value) {
  for (const callback of listeners.get(kind) ?? []) callback(value);
}

function up() {
  clearTimeout(lost);
  lost = tries = 0;
  link("");
  window.dispatchEvent(new Event("live-up"));
}

function down() {
  if (!lost) lost = setTimeout(() => link("Connection lost. Trying again …"), EARLY);
  window.dispatchEvent(new Event("live-down"));
  if (source?.readyState !== EventSource.CLOSED) return; // the browser goes on trying
  close();
  tries += 1;
  again = setTimeout(reopen, Math.min(AGAIN * tries, AGAIN * 10));
}

// The answer was no stream: perhaps nobody is logged in any more.
async function reopen() {
  try {
    const said = await fetch("/api/session", { headers: { Accept: "application/json" } });
    if (said.ok && !(await said.json()).in) return login();
  } catch {
    // Nobody answers: so says the stream, too.
  }
  open();
}

function login() {
  // As the box itself says it: the path, decoded, and nothing behind it.
  location.assign(`/login?next=${encodeURIComponent(decodeURIComponent(location.pathname))}`);
  return new Promise(() => {}); // nothing more happens on this page
}

function link(text) {
  const where = document.getElementById("link");
  if (where && where.textContent !== text) where.textContent = text;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(asleep);
  if (document.hidden) asleep = setTimeout(close, ASLEEP);
  else if (!source && !again && listeners.size) open();
});
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => {
  if (event.persisted && !source && listeners.size) open();
});

/** Ask the API for something; fails with its sentence. */
export async function send(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = meta("csrf");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Error("The box did not answer. Is it running, and is this device in its network?");
  }
  const value = await answer.json().catch(() => ({}));
  if (answer.status === 401 && meta("csrf")) return login();
  if (!answer.ok) throw new Error(sentence(value.error || `The box answered with ${answer.status}.`));
  return value;
}

/** A sentence as people write one, of what may begin small and end without a full stop. */
export function sentence(text) {
  const whole = String(text).trim();
  if (!whole) return "";
  return whole[0].toUpperCase() + whole.slice(1) + (/[.!?…]$/.test(whole) ? "" : ".");
}

let spoken = 0;

/** Tell whoever is there, by the eye or the ear. */
export function say(text, bad = false) {
  const where = document.getElementById("said");
  if (!where) return;
  clearTimeout(spoken);
  where.textContent = "";
  where.classList.toggle("bad", bad);
  // The same words twice would not be read twice.
  spoken = setTimeout(() => {
    where.textContent = text;
    spoken = setTimeout(() => (where.textContent = ""), bad ? 6 * SHORTLY : SHORTLY);
  }, 50);
  where.onclick = () => (where.textContent = ""); // it is in front of the page
}

const one = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [7, "day"]];

/** How long ago a time was, in words; a date when that is more than a week. */
export function ago(seconds) {
  let past = Math.max(0, Date.now() / 1000 - seconds);
  if (past < 45) return "just now";
  for (const [size, unit] of STEPS) {
    if (Math.round(past) < size) return one.format(-Math.round(past), unit);
    past /= size;
  }
  return full.format(seconds * 1000);
}

/** Show a time, in words for whoever reads, and exactly for whoever points at it. */
export function date(element, seconds) {
  const known = typeof seconds === "number" && seconds > 0 && seconds < 8.64e12;
  element.dateTime = known ? new Date(seconds * 1000).toISOString() : "";
  element.textContent = known ? ago(seconds) : "";
  element.title = known ? full.format(seconds * 1000) : "";
}

function dates() {
  for (const each of document.querySelectorAll("time[data-ago][datetime]")) {
    if (each.dateTime) date(each, Date.parse(each.dateTime) / 1000);
  }
}
dates();
setInterval(dates, 30000);

const isEmpty = (value) => value === null || value === undefined || value === "";

function show(element, value) {
  if (element instanceof HTMLTimeElement) date(element, value);
  else if (element instanceof HTMLImageElement) {
    if (!isEmpty(value) && element.getAttribute("src") !== value) element.src = value;
  } else if (element instanceof HTMLMeterElement || element instanceof HTMLProgressElement) element.value = value ?? 0;
  else if (element.textContent !== String(value ?? "")) element.textContent = value ?? "";
  if ("empty" in element.dataset) element.hidden = isEmpty(value);
}

/**
 * Fill in every [data-field] below an element, which data-empty hides when there is no value; and
 * show every [data-part] of what there is a value for.
 */
export function bind(root, values) {
  for (const each of root.querySelectorAll("[data-field]")) {
    if (each.dataset.field in values) show(each, values[each.dataset.field]);
  }
  for (const each of root.querySelectorAll("[data-part]")) {
    if (each.dataset.part in values) each.hidden = isEmpty(values[each.dataset.part]);
  }
  root.dataset.state = values.state;
  root.dataset.online = values.online;
}

function made(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** Ask before something cannot be undone; with a word, that has to be typed. */
export function ask(title, text, word = "") {
  const box = made("dialog", "", { "aria-labelledby": "asked", "aria-describedby": "asked-text" });
  const form = made("form", "", { method: "dialog" });
  const yes = made("button", "Yes, go on", { value: "yes", class: "danger" });
  const row = made("div", "", { class: "row" });
  const no = made("button", "Cancel", { value: "", class: "quiet" });
  no.autofocus = !word;
  row.append(yes, no); // Enter in the field is the first of them, once that may be pressed
  form.append(made("h2", title, { id: "asked" }), made("p", text, { id: "asked-text" }));
  if (word) form.append(typed(word, yes));
  form.append(row);
  box.append(form);
  document.body.append(box);
  return new Promise((resolve) => {
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes");
    });
    box.showModal();
  });
}

function typed(word, yes) {
  const label = made("label", `To be sure, type “${word}”`);
  const input = made("input", "", { autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  input.addEventListener("input", () => (yes.disabled = input.value.trim() !== word.trim()));
  yes.disabled = true;
  label.append(input);
  return label;
}
