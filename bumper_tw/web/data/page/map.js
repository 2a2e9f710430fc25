// The map of one robot: kept up to date, looked at closely, and chosen from.
import { listen, send, say } from "/page/live.js";
import { words } from "/page/map_words.js";

const panel = document.getElementById("map");
const did = panel?.dataset.did;
const api = `/api/robots/${encodeURIComponent(did)}/map`;
const NS = "http://www.w3.org/2000/svg";
const SIZES = { robots: 22, lines: 26 }; // as on the server: how large robots and letters are
const SHORTEST = 300; // mm: a smaller zone is a slip of the finger
const SHAPES = {
  robot: "M0 -5A5 5 0 1 1 -0.01 -5ZM-1.5 -3L4 0L-1.5 3Z",
  dock: "M-4 -4H4V1L0 5L-4 1Z",
};

let map = null; // the map as the API has it
let whole = null; // all of it: x, y, width, height as SVG has them
let view = null; // what of it is seen
let zone = null; // what was drawn last, by two corners
const chosen = new Set();

const svg = () => panel.querySelector("svg.map");
const one = (name) => svg()?.querySelector(name);

function element(name, attributes, ...content) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

// Drawing

function steps(points) {
  let last = null;
  let path = "";
  for (const [x, y, up] of points) {
    path += last && !up ? `l${x - last[0]} ${y - last[1]}` : `M${x} ${y}`;
    last = [x, y];
  }
  return path;
}

const corners = (points) => points.map(([x, y]) => `${x},${y}`).join(" ");

const shape = (kind) => ({ points }) =>
  element(points.length === 2 ? "polyline" : "polygon", {
    points: corners(points), class: kind, "vector-effect": "non-scaling-stroke",
  });

// Not every robot that has rooms can clean one of them.
function room({ id, name, outline }) {
  const can = document.querySelector("form[data-action=rooms]");
  return element("polygon", {
    points: corners(outline), class: chosen.has(id) ? "room chosen" : "room", "data-room": id,
    "pointer-events": can ? "auto" : "none", "vector-effect": "non-scaling-stroke",
  }, element("title", {}, name));
}

function symbol(kind, size) {
  const path = element("path", { d: SHAPES[kind], "vector-effect": "non-scaling-stroke", "fill-rule": "evenodd" });
  return element("g", { class: kind, "data-size": size, visibility: "hidden" }, path);
}

function put(symbol, spot) {
  if (!symbol) return;
  if (!spot) return symbol.setAttribute("visibility", "hidden");
  const scale = symbol.dataset.size;
  symbol.setAttribute("transform", `translate(${spot.x} ${spot.y}) rotate(${spot.angle}) scale(${scale})`);
  symbol.removeAttribute("visibility");
}

// All of it anew: a map changes seldom.
function draw() {
  const [left, bottom, right, top] = map.view;
  const box = [left, -top, right - left, top - bottom];
  const size = Math.max(box[2], box[3]);
  const drawing = element("svg", { class: "map", role: "img", "data-revision": map.revision, "data-tid": map.trace.tid });
  const title = element("title", {}, svg()?.querySelector("title")?.textContent ?? "Map");
  drawing.setAttribute("aria-label", title.textContent);
  const image = element("image", { class: "floor", preserveAspectRatio: "none", "image-rendering": "pixelated" });
  floor(image);
  const turned = element("g", { transform: "scale(1 -1)" },
    element("g", { class: "zones" }, ...map.zones.map(shape("zone"))),
    element("g", { class: "rooms" }, ...map.rooms.filter((each) => each.outline.length).map(room)),
    element("path", { class: "trace", fill: "none", "vector-effect": "non-scaling-stroke" }),
    element("g", { class: "walls" }, ...map.walls.map(shape("wall"))),
    element("g", { class: "docks" }),
    symbol("robot", (size / SIZES.robots / 10).toFixed(2)),
    element("rect", { class: "sketch", visibility: "hidden" }),
  );
  const line = size / SIZES.lines;
  const names = element("g", { class: "names", "font-size": Math.round(line), "stroke-width": Math.round(line / 6) });
  for (const { name, centre } of map.rooms) {
    if (centre) names.append(element("text", { x: centre[0], y: -centre[1], "text-anchor": "middle" }, name));
  }
  drawing.append(title, element("desc", {}, map.words), image, turned, names);
  const before = svg();
  if (before) before.replaceWith(drawing);
  else document.getElementById("map-words").before(drawing);
  const same = view && whole && String(view) !== String(whole);
  whole = box;
  look(same ? view : box);
  trace();
  places(map);
  if (zone) rectangle(...zone);
  begin(drawing);
}

function floor(image) {
  if (!map.picture) return;
  const { url, left, bottom, right, top } = map.picture;
  for (const [key, value] of Object.entries({ href: url, x: left, y: -top, width: right - left, height: top - bottom })) {
    image.setAttribute(key, value);
  }
}

function trace() {
  one("path.trace")?.setAttribute("d", steps(map.trace.points));
}

function places({ robot, docks }) {
  put(one("g.robot"), robot);
  const group = one("g.docks");
  if (!group || !docks) return;
  const size = one("g.robot").dataset.size;
  group.replaceChildren(...docks.map(() => symbol("dock", size)));
  docks.forEach((dock, place) => put(group.children[place], dock));
  const seen = words(map?.rooms ?? [], robot, docks);
  for (const where of [one("desc"), document.getElementById("map-words")]) where.textContent = seen;
}

// Hearing

let loading = null;

async function load() {
  if (loading) return loading;
  loading = send("GET", api);
  try {
    map = await loading;
    if (map.known) draw();
    panel.querySelector(".map-tools").hidden = false;
    for (const tool of panel.querySelectorAll("[data-zoom], [data-draw]")) tool.hidden = !map.known;
  } catch (wrong) {
    say(wrong.message, true);
  } finally {
    loading = null;
  }
}

function onTrace(heard) {
  if (heard.did !== did || !map || loading) return;
  const known = map.trace;
  const more = heard.start + heard.points.length;
  if (heard.tid === known.tid && more <= known.total) return;
  if (heard.tid !== known.tid || heard.start > known.total || !svg()) return load();
  known.points.length = Math.max(0, known.points.length - (known.total - heard.start));
  known.points.push(...heard.points);
  known.total = more;
  trace();
}

// Looking closely

function look(box) {
  view = box;
  svg()?.setAttribute("viewBox", box.join(" "));
  svg()?.classList.toggle("near", whole && box[2] < whole[2]);
}

function zoom(by, at) {
  const [x, y, width, height] = view;
  const [cx, cy] = at ?? [x + width / 2, y + height / 2];
  const factor = Math.max(0.05, Math.min(1, (width * by) / whole[2])) * (whole[2] / width);
  if (width * factor >= whole[2] * 0.999) return look(whole);
  look(inside([cx - (cx - x) * factor, cy - (cy - y) * factor, width * factor, height * factor]));
}

function inside([x, y, width, height]) {
  const clamp = (low, value, high) => Math.max(low, Math.min(value, high));
  return [
    clamp(whole[0], x, whole[0] + whole[2] - width), clamp(whole[1], y, whole[1] + whole[3] - height), width, height,
  ];
}

function at(event) {
  const matrix = svg().getScreenCTM();
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  return [point.x, point.y];
}

// Fingers and mice

let drawing = false; // whether a zone is being drawn
const held = new Map(); // where each finger is
let from = null; // where the first of them came down
let moved = false;

function begin(map) {
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, at(event));
  }, { passive: false });
  map.addEventListener("pointerdown", down);
  map.addEventListener("pointermove", move);
  for (const kind of ["pointerup", "pointercancel"]) map.addEventListener(kind, up);
  map.classList.toggle("drawing", drawing);
}

function down(event) {
  if (event.button > 0) return;
  held.set(event.pointerId, event);
  if (held.size === 1) [from, moved] = [at(event), false];
  if (drawing) svg().setPointerCapture(event.pointerId);
}

function move(event) {
  const before = held.get(event.pointerId);
  if (!before) return;
  const [x, y] = at(event);
  if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 4) {
    moved = true;
    svg().setPointerCapture(event.pointerId);
  }
  if (drawing) return rectangle(from, [x, y]);
  if (held.size === 2) pinch(before, event);
  else if (moved && whole && view[2] < whole[2]) {
    const [bx, by] = at(before);
    look(inside([view[0] - (x - bx), view[1] - (y - by), view[2], view[3]]));
  } else return;
  held.set(event.pointerId, event);
}

function pinch(before, event) {
  const other = [...held.values()].find((each) => each.pointerId !== event.pointerId);
  const far = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
  zoom(far(before) / far(event), at(other));
  moved = true;
}

function up(event) {
  if (!held.delete(event.pointerId)) return;
  if (event.type === "pointercancel") return rectangle(null);
  if (drawing) return drawn(at(event));
  if (!moved) choose(event.target.closest?.("[data-room]")?.dataset.room);
}

function rectangle(one, other) {
  const shown = one("rect.sketch");
  if (!shown) return;
  zone = one ? [one, other] : null;
  if (!one) return shown.setAttribute("visibility", "hidden");
  const values = {
    x: Math.min(one[0], other[0]), y: Math.min(-one[1], -other[1]),
    width: Math.abs(one[0] - other[0]), height: Math.abs(one[1] - other[1]),
  };
  for (const [key, value] of Object.entries(values)) shown.setAttribute(key, Math.round(value));
  shown.removeAttribute("visibility");
}

function drawn(to) {
  const [x1, y1, x2, y2] = [from[0], -from[1], to[0], -to[1]].map(Math.round);
  pencil(false);
  if (Math.abs(x1 - x2) < SHORTEST || Math.abs(y1 - y2) < SHORTEST) {
    rectangle(null);
    return say("That was too small for a zone. Draw from one corner to the other.", true);
  }
  const zone = { did, x1: Math.min(x1, x2), y1: Math.min(y1, y2), x2: Math.max(x1, x2), y2: Math.max(y1, y2) };
  window.dispatchEvent(new CustomEvent("zone-drawn", { detail: zone }));
  say("The zone is drawn. Press “Clean a zone” to have it cleaned.");
}

function pencil(on) {
  drawing = on;
  panel.querySelector("[data-draw]").setAttribute("aria-pressed", String(on));
  svg()?.classList.toggle("drawing", on);
  if (on) say("Draw from one corner of the zone to the other.");
}

// Rooms: the same ones are chosen here and by their boxes

function choose(id) {
  if (!id) return;
  if (!chosen.delete(id)) chosen.add(id);
  mark();
  window.dispatchEvent(new CustomEvent("rooms-chosen", { detail: { did, rooms: [...chosen] } }));
}

function mark() {
  for (const each of svg()?.querySelectorAll("[data-room]") ?? []) {
    each.classList.toggle("chosen", chosen.has(each.dataset.room));
  }
}

function onBox(event) {
  if (event.target.name !== "rooms") return;
  chosen.clear();
  for (const box of document.querySelectorAll("input[name=rooms]:checked")) chosen.add(box.value);
  mark();
}

async function ask() {
  try {
    await send("POST", `${api}/survey`);
    say("The robot is asked for its map. What is new appears here.");
  } catch (wrong) {
    say(wrong.message, true);
  }
}

function onClick(event) {
  const tool = event.target.closest("button");
  if (!tool) return;
  if (tool.dataset.ask) ask();
  else if (tool.dataset.draw && svg()) pencil(!drawing);
  else if (tool.dataset.zoom && whole) {
    if (tool.dataset.zoom === "all") look(whole);
    else zoom(tool.dataset.zoom === "in" ? 1 / 1.5 : 1.5);
  }
}

if (panel) {
  panel.querySelector(".map-tools").addEventListener("click", onClick);
  document.addEventListener("change", onBox);
  listen("place", (heard) => {
    if (heard.did === did) places(heard);
  });
  listen("trace", onTrace);
  listen("map", (heard) => {
    if (heard.did === did && heard.revision !== map?.revision) load();
  });
  listen("reset", load);
  load();
}
