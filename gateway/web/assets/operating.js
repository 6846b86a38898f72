// What operators do: a button or form names the route of the API that it asks. Where it says so, it is first asked what
// it would do, and the person sees that before it is done.
//
//   data-act="POST /streams/campaigns/requeue"   the route; data-body and the fields of data-form (or its own) are sent
//   data-title, data-content, data-action, data-kind   what is asked before; without a title it is done at once
//   data-foresee="requeue"   a dry run, told in the words below     data-said="requeue"   what came of it
//   data-each="grants"   a group of fields is one item of a list; data-another="grants" adds one more such group
//   data-opens="new-key"   opens the dialog of that id, which data-closes closes
//   data-all   where no field narrows it, all are meant     data-next="/ui/…"   where to go on, else the page is loaded anew
import { api, ask, attempt, toast } from "/assets/kit.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const number = (count) => count.toLocaleString("en");
const many = (count, one, others = `${one}s`) => `${number(count)} ${count === 1 ? one : others}`;
const types = (counts) => Object.entries(counts).map(([type, count]) => `${number(count)} ${type}`).join(", ");
const more = (it) => (it.has_more ? " There are more: do it again afterwards." : "");

/** What a dry run foresees: the words, and whether there is anything to do. */
const FORESEEN = {
  requeue: (it) => [`${many(it.operations, "command")} will be tried again${it.matched ? ` (${types(it.by_type)})` : ""}. ${it.stale ? `${many(it.stale, "dead letter")} whose command is not failed any more ${it.stale === 1 ? "is" : "are"} removed.` : ""}${more(it)}`, it.operations + it.stale],
  purge: (it) => [`${many(it.matched, "command")} will be cancelled${it.matched ? ` (${types(it.by_type)})` : ""}.${it.requests ? ` ${many(it.requests, "of them is a request", "of them are requests")} that somebody waits for an answer to.` : ""} This cannot be taken back.${more(it)}`, it.matched],
  replay: (it) => [`${many(it.matched, "operation")} looked at; ${many(it.appended, "is", "are")} not held by Redis and will be appended again.`, it.appended],
  revoke: (it) => [`${many(it.tokens, "token")} will be revoked. ${it.holders.length ? `Held by ${it.holders.join(", ")}, whose next request with it fails.` : ""}${it.lost ? ` ${number(it.lost)} cannot be revoked, and ${it.lost === 1 ? "ends by itself" : "end by themselves"}.` : ""}`, it.tokens],
  policies: (it) => [[["added", it.added], ["changed", it.changed], ["removed", it.removed]].filter(([, names]) => names.length).map(([what, names]) => `${what}: ${names.join(", ")}`).join("; ") || "Nothing would change.", it.added.length + it.changed.length + it.removed.length],
};

/** What came of it. */
const SAID = {
  sync: (it) => `${many(it.installations, "installation")}, ${it.changes ? many(it.changes, "change") : "nothing new"}.`,
  operation: () => "It is under way.",
  requeue: (it) => `${many(it.operations, "command")} tried again.`,
  purge: (it) => `${many(it.operations, "command")} cancelled.`,
  replay: (it) => `${many(it.appended, "command")} appended again.`,
  trim: (it) => `${many(it.trimmed, "entry", "entries")} dropped.${it.held_by ? ` ${it.held_by} has not finished something older, which is kept.` : ""}`,
  revoke: (it) => `${many(it.tokens, "token")} revoked.`,
  policies: () => "The policies are applied.",
  ping: () => "A ping is on its way.",
  resent: (it) => `${many(it.messages, "message")} will be sent again.`,
  redelivered: () => "It will be sent again.",
  done: () => "Done.",
};

const valueOf = (field) => {
  if (field.type === "checkbox" && field.dataset.list !== undefined) return field.checked ? [field.value] : [];
  if (field.type === "checkbox") return field.checked;
  if (field.dataset.days !== undefined) return field.value && new Date(Date.now() + Number(field.value) * 86_400_000).toISOString();
  if (field.type === "number") return field.valueAsNumber;
  if (field.dataset.list !== undefined) return field.value.split(/[\s,]+/).filter(Boolean);
  if (field.dataset.json !== undefined) return field.value.trim() ? JSON.parse(field.value) : {};
  return field.value.trim();
};

const isGiven = (value) => value !== "" && value !== false && !(Array.isArray(value) && !value.length) && !Number.isNaN(value);

/** The fields of a form as the API takes them; a name with a dot is a field within another. */
const fieldsOf = (form) => {
  const body = {};
  for (const group of form?.querySelectorAll("[data-each]") ?? []) {
    const item = fieldsOf(group);
    if (Object.keys(item).length) (body[group.dataset.each] ??= []).push(item);
  }
  for (const field of form?.querySelectorAll("[name]") ?? []) {
    if (field.closest("[data-each]") && !form.matches("[data-each]")) continue;
    const value = valueOf(field);
    if (field.type === "checkbox" && Array.isArray(value)) {
      (body[field.name] ??= []).push(...value); // none at all is told as well: left out, it would mean each
      continue;
    }
    if (!isGiven(value)) continue;
    const [outer, inner] = field.name.split(".");
    if (inner) (body[outer] ??= {})[inner] = value;
    else body[outer] = value;
  }
  return body;
};

/** What is sent for a button or a form. */
const bodyOf = (from) => {
  const form = from.matches("form") ? from : from.dataset.form && document.querySelector(from.dataset.form);
  const fields = fieldsOf(form);
  const body = { ...JSON.parse(from.dataset.body ?? "{}"), ...fields };
  if (from.dataset.all !== undefined && !Object.keys(fields).length) body.all = true;
  return Object.keys(body).length || from.dataset.act.startsWith("POST /streams") ? body : undefined;
};

/** Shows a secret once, to be copied. */
const reveal = async (title, secret, note) => {
  const field = element("input", { value: secret, readOnly: true, className: "secret" });
  field.setAttribute("aria-label", title);
  const copy = element("button", { type: "button", className: "quiet", textContent: "Copy" });
  copy.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard?.writeText(secret);
    copy.textContent = "Copied";
  });
  const content = element("div", {}, element("p", { className: "quiet", textContent: note }), element("p", { className: "secret-line" }, field, copy));
  await ask({ title, content, action: "I have it", closes: true });
};

const foresee = async (from, method, path, body) => {
  const [words, count] = FORESEEN[from.dataset.foresee](await api(method, path, { ...body, dry_run: true }));
  return { content: element("p", {}, words), count };
};

const act = async (from) => {
  const [method, path] = from.dataset.act.split(" ");
  const body = bodyOf(from);
  const asked = { title: from.dataset.title, content: from.dataset.content ?? "", action: from.dataset.action ?? "Go on", kind: from.dataset.kind ?? "" };
  if (from.dataset.foresee) {
    const { content, count } = await foresee(from, method, path, body);
    if (!count) {
      toast(content.textContent || "There is nothing to do.");
      return;
    }
    asked.content = content;
  }
  if (asked.title && !(await ask(asked))) return;
  const outcome = await api(method, path, body);
  from.closest("dialog")?.close();
  if (from.dataset.reveal) {
    const secret = outcome[from.dataset.reveal];
    await reveal(from.dataset.revealTitle ?? "The secret", secret, from.dataset.revealNote ?? "");
  }
  sessionStorage.setItem("said", SAID[from.dataset.said ?? "done"](outcome ?? {}));
  const next = from.dataset.next?.replace("{id}", outcome?.id ?? outcome?.endpoint?.id ?? outcome?.api_key?.id ?? "");
  if (next) location.assign(next);
  else location.reload();
};

const fails = (form, error) => {
  const problems = (error.problem?.problems ?? []).map((each) => [each.path, each.line && `line ${each.line}`, each.message].filter(Boolean).join(": "));
  const place = form.querySelector("[data-problems]");
  if (!place || (!problems.length && !form.closest("dialog"))) return false; // what is said elsewhere a dialog hides
  place.replaceChildren(element("p", {}, error.message), element("ul", {}, ...problems.map((each) => element("li", {}, each))));
  place.focus();
  return true;
};

const start = async (from) => {
  const buttons = from.matches("form") ? from.querySelectorAll("button") : [from];
  for (const button of buttons) button.disabled = true;
  await attempt(async () => {
    try {
      await act(from);
    } catch (error) {
      if (!from.matches("form") || !fails(from, error)) throw error;
    }
  });
  for (const button of buttons) button.disabled = false;
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) start(button);
});
document.addEventListener("click", ({ target }) => {
  const opens = target.closest("[data-opens]");
  if (opens) document.getElementById(opens.dataset.opens).showModal();
  if (target.closest("[data-closes]")) target.closest("dialog").close();
  const another = target.closest("[data-another]");
  if (!another) return;
  const last = [...another.form.querySelectorAll(`[data-each=${another.dataset.another}]`)].at(-1);
  const group = last.cloneNode(true);
  for (const field of group.querySelectorAll("[name]")) field.value = "";
  last.after(group);
  group.querySelector("[name]").focus();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-act]")) {
    event.preventDefault();
    start(event.target);
  }
});

const said = sessionStorage.getItem("said");
if (said) {
  sessionStorage.removeItem("said");
  toast(said);
}
