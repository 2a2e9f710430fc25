// The house side: what is asked and sent here is shown by the server afterwards.
import { ask, listen, say, send } from "./live.js";

const BACK = 1500; // ms after which a service is likely to be back

/** Show each part of the page that may have changed as the server shows it now. */
async function refresh() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch {
    return; // the stream says that nobody answers
  }
  if (!answer.ok || answer.redirected) return location.reload();
  const now = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = now.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    // What somebody is about to choose, and the server knows nothing of, stays.
    if (!other || part.isEqualNode(other) || part.contains(document.activeElement?.closest("input, select") ?? null)) continue;
    const focus = part.contains(document.activeElement) && document.activeElement.dataset.act;
    const open = part.querySelector("details[open]") !== null;
    const fresh = document.importNode(other, true);
    if (open) fresh.querySelector("details")?.setAttribute("open", "");
    part.replaceWith(fresh);
    if (focus) fresh.querySelector(`[data-act="${CSS.escape(focus)}"]`)?.focus();
  }
}

/** Do something, say what came of it, and show how it is now. */
async function attempt(what, done) {
  try {
    const said = await what();
    if (said === false) return;
    say(done);
  } catch (wrong) {
    say(wrong.message, true);
  }
  await refresh();
}

const path = (...parts) => "/api/" + parts.map(encodeURIComponent).join("/");

const acts = {
  async look() {
    await refresh();
    say("Looked again.");
  },

  async restart(button) {
    const part = button.closest("[data-service]");
    const name = part.dataset.service;
    const title = part.querySelector("h2").textContent;
    const text = name === "web"
      ? "Apps and pages are cut off for a moment, this one too; it comes back by itself."
      : "Everything that is connected to it is cut off for a moment, and comes back by itself.";
    if (!(await ask(`Restart: ${title}?`, text))) return;
    // Before it is sent: that it runs again may be heard of before the answer.
    say(`${title}: restarting …`);
    try {
      await send("POST", path("services", name, "restart"));
    } catch (wrong) {
      return say(wrong.message, true);
    }
    setTimeout(refresh, BACK);
  },

  async save(button) {
    const part = button.closest("[data-setting]");
    const { setting, control } = part.dataset;
    const value = chosen(part, control);
    await attempt(() => send("PATCH", "/api/settings", { [setting]: value }), "Saved. It holds from now on.");
  },

  async back(button) {
    const { setting } = button.closest("[data-setting]").dataset;
    await attempt(() => send("PATCH", "/api/settings", { [setting]: null }), "It is as it was before.");
  },

  async password(button) {
    const { account } = button.closest("[data-account]").dataset;
    const word = await typed(`New password for ${account}`);
    if (word === null) return;
    await attempt(
      () => send("PUT", path("accounts", account, "password"), { password: word }),
      "Changed. Whoever was logged in to this account has to log in again.",
    );
  },

  async "remove-user"(button) {
    const { account } = button.closest("[data-account]").dataset;
    const text = "The account and all that belongs to it goes; whoever is logged in to it is logged out.";
    if (!(await ask(`Remove ${account}?`, text, account))) return;
    await attempt(() => send("DELETE", path("accounts", account)), "Removed.");
  },

  async "end-session"(button) {
    const { session } = button.closest("[data-session]").dataset;
    if (!(await ask("Log out this browser?", "If it is the one you use, you have to log in again."))) return;
    await attempt(() => send("DELETE", path("sessions", session)), "Logged out.");
  },

  async "end-token"(button) {
    const row = button.closest("[data-token]");
    const name = row.querySelector("th").textContent;
    if (!(await ask(`Remove the token “${name}”?`, "Whatever uses it does not get in any more."))) return;
    await attempt(() => send("DELETE", path("tokens", row.dataset.token)), "Removed.");
  },

  async copy() {
    try {
      await navigator.clipboard.writeText(document.querySelector('#token [data-part="text"]').textContent);
      say("Copied.");
    } catch {
      say("This browser does not let pages copy; select the text yourself.", true);
    }
  },
};

/** What was chosen of a setting; what is no number is for the server to refuse. */
function chosen(part, control) {
  const field = part.querySelector("[data-value]");
  if (control === "flag") return field.checked;
  if (control === "choice") return field.value;
  if (control === "number") {
    const text = field.value.trim().replace(",", ".");
    return text && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  const levels = [...part.querySelectorAll("[data-value]")].filter((each) => each.value);
  return Object.fromEntries(levels.map((each) => [each.dataset.part, each.value]));
}

const forms = {
  user: (values) => [() => send("POST", "/api/accounts", values), "Added."],
  owner: (values) => [
    async () => renewed(await send("PUT", "/api/owner/password", values)),
    "Changed. All your other browsers are logged out.",
  ],
  token: ({ name, scope, days }) => [
    async () => show(await send("POST", "/api/tokens", { name, scopes: [scope], days: Number(days) })),
    "Made. Copy it now: it is shown once.",
  ],
};

/** This browser stays logged in, under another name: so what changes come with is another. */
function renewed({ csrf }) {
  document.querySelector('meta[name="csrf"]').content = csrf;
  for (const each of document.querySelectorAll('input[name="csrf"]')) each.value = csrf;
}

function show(made) {
  const box = document.getElementById("token");
  box.querySelector('[data-part="text"]').textContent = made.token;
  box.hidden = false;
}

/** Ask for a password; null if nobody wants to say one. */
function typed(title) {
  const box = document.createElement("dialog");
  const form = document.createElement("form");
  form.method = "dialog";
  const head = document.createElement("h2");
  head.textContent = title;
  head.id = "typed";
  box.setAttribute("aria-labelledby", "typed");
  const label = document.createElement("label");
  label.textContent = "At least 8 characters ";
  const input = document.createElement("input");
  Object.assign(input, { type: "password", autocomplete: "new-password", required: true, minLength: 8, maxLength: 200 });
  label.append(input);
  const row = document.createElement("div");
  row.className = "row";
  for (const [text, value] of [["Change", "yes"], ["Cancel", ""]]) {
    const button = document.createElement("button");
    Object.assign(button, { textContent: text, value, formNoValidate: !value, className: value ? "" : "quiet" });
    row.append(button);
  }
  form.append(head, label, row);
  box.append(form);
  document.body.append(box);
  return new Promise((resolve) => {
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes" ? input.value : null);
    });
    box.showModal();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button && acts[button.dataset.act]) acts[button.dataset.act](button);
});

document.addEventListener("submit", (event) => {
  const name = event.target.dataset.form;
  if (!name || !forms[name]) return;
  event.preventDefault();
  const form = event.target;
  const [what, done] = forms[name](Object.fromEntries(new FormData(form)));
  attempt(async () => {
    await what();
    form.reset();
    document.activeElement?.blur();
  }, done);
});

if (document.querySelector('[data-live="health"]')) listen("health", refresh);
if (document.querySelector("[data-service]")) listen("service", restarted);

function restarted({ title, state, why }) {
  if (state === "running") say(`${title}: running again.`);
  if (state === "broken") say(`${title}: ${why}`, true);
  refresh();
}
