// The journal as it grows: who came last stands at the top.
import { listen, sentence } from "./live.js";

const MOST = 200; // entries on the page

const list = document.getElementById("journal");
const pattern = document.getElementById("entry");
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

function wanted(entry) {
  if (list.dataset.host && entry.host !== list.dataset.host) return false;
  if (entry.visit && list.dataset.visits !== "1") return false;
  return list.dataset.wrong !== "1" || !entry.diagnosis.sound;
}

const keyOf = (entry) => (entry.kind === "contact" ? `c${entry.number}` : `r${entry.revision}`);

function part(row, name, text) {
  const found = row.querySelector(`[data-part="${name}"]`);
  if (found.textContent !== text) found.textContent = text;
  return found;
}

function fill(row, entry) {
  const { sound, sentence: what, remedy } = entry.diagnosis;
  part(row, "badge", sound ? "Fine" : "Look here").className = sound ? "badge good" : "badge bad";
  part(row, "who", entry.robot_name || entry.who || "This box");
  part(row, "sentence", sentence(what));
  part(row, "remedy", sentence(remedy));
  part(row, "story", entry.story);
  when(row, entry.began || entry.when);
  host(row, entry.host || "");
}

function when(row, seconds) {
  const time = document.createElement("time");
  time.dateTime = new Date(seconds * 1000).toISOString();
  time.textContent = full.format(seconds * 1000);
  row.querySelector('[data-part="when"]').replaceChildren(time);
}

function host(row, address) {
  const where = row.querySelector('[data-part="host"]');
  if (where.textContent === address) return;
  const link = document.createElement("a");
  link.textContent = address;
  link.href = `/house/journal?host=${encodeURIComponent(address)}`;
  where.replaceChildren(...(address ? [link] : []));
}

listen("journal", (entry) => {
  const key = keyOf(entry);
  const before = list.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!wanted(entry)) return before?.remove();
  const row = before ?? pattern.content.firstElementChild.cloneNode(true);
  row.dataset.key = key;
  fill(row, entry);
  if (!before) {
    row.dataset.at = entry.began || entry.when;
    const earlier = [...list.children].find((each) => Number(each.dataset.at) <= row.dataset.at);
    list.insertBefore(row, earlier ?? null);
  }
  while (list.children.length > MOST) list.lastElementChild.remove();
  document.getElementById("none").hidden = list.children.length > 0;
});
