// The editor of specs: checked as one types, saved on this machine until it is saved as a version, and run from here.
import { api, ask, attempt, follow, toast } from "./kit.js";
import { completeBy, explainBy } from "./spec-schema.js";
import { openEditor } from "./spec-editor.js";

const workbench = document.querySelector("#workbench");
const element = (id) => document.getElementById(id);
const given = element("document").value;
const { campaign, start } = workbench.dataset;
const draftKey = `octobatch-draft:${campaign || "new"}`;

let saved = given;
let version = Number(workbench.dataset.version);
let verdict = null;
let verdictOf = "";

const schema = await (await fetch("/schemas/campaign-spec-v1.json")).json();

const readDraft = () => {
  try {
    return JSON.parse(localStorage.getItem(draftKey));
  } catch {
    return null;
  }
};
const draft = readDraft();
const isOfThis = draft && draft.document !== given && (campaign || draft.start === start);
const editor = openEditor(element("document"), {
  document: isOfThis ? draft.document : given,
  complete: completeBy(schema),
  explain: explainBy(schema),
  onChange: () => changed(),
  keys: { "Mod-s": () => attempt(save), "Mod-Enter": () => attempt(() => run({ dry_run: true })) },
});

// what is not saved yet

const isDirty = () => editor.text() !== saved;

const showSaved = () => {
  element("saved").textContent = isDirty() ? "Not saved yet" : version ? `Version ${version}` : "";
};

const keepDraft = () => {
  if (isDirty()) localStorage.setItem(draftKey, JSON.stringify({ document: editor.text(), at: new Date().toISOString(), start }));
  else localStorage.removeItem(draftKey);
};

if (isOfThis) {
  element("restored").hidden = false;
  element("restored").querySelector("time").textContent = new Date(draft.at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
element("discard").addEventListener("click", () => {
  editor.replace(saved);
  element("restored").hidden = true;
  editor.focus();
});
addEventListener("beforeunload", (event) => { if (isDirty()) event.preventDefault(); });
for (const link of document.querySelectorAll(".starts a")) {
  link.addEventListener("click", async (event) => {
    if (!isDirty()) return;
    event.preventDefault();
    const isSure = await ask({ title: "Begin with another text?", content: "What you have written here is lost.", action: "Begin anew", kind: "bad" });
    if (!isSure) return;
    saved = editor.text();
    localStorage.removeItem(draftKey);
    location.assign(link.href);
  });
}

// problems

const problemLine = (problem) => {
  const button = document.createElement("button");
  button.type = "button";
  const part = (name, text) => Object.assign(document.createElement("span"), { className: name, textContent: text });
  button.append(part("where", problem.line ? `${problem.line}` : ""), part("message", problem.message));
  if (problem.hint) button.append(part("hint", problem.hint));
  button.addEventListener("click", () => editor.goTo(problem));
  const line = document.createElement("li");
  line.append(button);
  return line;
};

const showVerdict = () => {
  element("problems").replaceChildren(...verdict.problems.map(problemLine));
  element("no-problems").hidden = !verdict.valid;
  element("no-problems").textContent = "None: this is a valid spec.";
  const count = element("problem-count");
  count.textContent = verdict.valid ? "" : verdict.problems.length;
  count.classList.toggle("bad", !verdict.valid);
  for (const id of ["save", "preview", "apply", "select"]) element(id).disabled = !verdict.valid;
  editor.mark(verdict.problems);
};

const check = async () => {
  const document = editor.text();
  if (verdictOf === document) return;
  const answer = await attempt(() => api("POST", "/specs/validate", { document }));
  if (!answer || document !== editor.text()) return;
  [verdict, verdictOf] = [answer, document];
  showVerdict();
};

let checking;
const changed = () => {
  showSaved();
  clearTimeout(checking);
  checking = setTimeout(() => { keepDraft(); check(); }, 350);
};

// saving and running

const nameIn = (document) => /^name:\s*["']?([a-z0-9-]+)/m.exec(document)?.[1] ?? "";

/** Adds a version, unless somebody else has added one since this text was begun. */
const put = async (name, document) => {
  const answer = await fetch(`/v1/campaigns/${name}`);
  const newest = (await answer.json()).current_version;
  if (newest !== version) throw new Error(`Somebody has saved version ${newest} meanwhile. See what changed on the page of the campaign before you save.`);
  return api("PUT", `/campaigns/${name}`, { document }, { "If-Match": answer.headers.get("ETag") });
};

const save = async () => {
  await check();
  if (!verdict?.valid) throw new Error("Correct the problems first: they are listed beside the text.");
  const document = editor.text();
  const name = nameIn(document);
  if (campaign && name !== campaign) throw new Error(`The name in the spec is ${name}: this would be another campaign. Keep name: ${campaign}, or begin a new campaign.`);
  const stored = version ? await put(name, document) : await api("POST", "/campaigns", { document });
  [saved, version] = [document, stored.current_version];
  keepDraft();
  showSaved();
  element("restored").hidden = true;
  toast(`Saved as version ${version} of ${name}.`);
  return stored;
};

const run = async (order) => {
  const stored = isDirty() || !version ? await save() : { name: campaign || nameIn(saved) };
  const { run: started } = await api("POST", `/campaigns/${stored.name}/runs`, order);
  location.assign(`/ui/runs/${started.id}`);
};

const apply = async () => {
  const known = selection?.state === "complete" && selectedBy === editor.text();
  const where = known ? `the ${selection.included.toLocaleString("en")} repositories that it selects` : "every repository that it selects";
  const content = document.createDocumentFragment();
  for (const text of [`The change is prepared in ${where}, and pull requests are opened as the spec says.`, "A preview shows all changes first, and publishes nothing."]) {
    content.append(Object.assign(document.createElement("p"), { textContent: text }));
  }
  if (await ask({ title: `Apply ${nameIn(editor.text())}?`, content, action: "Apply" })) await run({ dry_run: false });
};

const press = (id, act) => {
  element(id).addEventListener("click", async () => {
    element(id).disabled = true;
    await attempt(act);
    element(id).disabled = verdict ? !verdict.valid : false;
  });
};
press("save", save);
press("preview", () => run({ dry_run: true }));
press("apply", apply);

// which repositories

let selection = null;
let selectedBy = "";
let source = null;
let side = "in";

const showRepositories = async () => {
  const { items } = await api("GET", `/selections/${selection.id}/repositories?included=${side === "in"}&limit=100`);
  const lines = items.map((each) => {
    const line = document.createElement("li");
    line.append(each.repository + (each.branch && each.branch !== each.default_branch ? ` on ${each.branch}` : ""));
    line.append(Object.assign(document.createElement("span"), { className: "quiet", textContent: each.reason }));
    return line;
  });
  const none = Object.assign(document.createElement("li"), { className: "quiet", textContent: side === "in" ? "None is in." : "None was left out." });
  element("repositories").replaceChildren(...(lines.length ? lines : [none]));
};

const showSelection = (now) => {
  selection = now;
  const isDone = !["pending", "running", "selecting"].includes(now.state);
  element("selection").hidden = false;
  element("selection-state").className = `state ${now.state}`;
  element("selection-state").textContent = now.state;
  element("selection-counts").textContent = isDone ? "" : `${now.found.toLocaleString("en")}${now.expected ? ` of ${now.expected.toLocaleString("en")}` : ""} found${now.to_examine ? `, ${now.examined} of ${now.to_examine} files read` : ""}`;
  const part = isDone ? 1 : now.to_examine ? 0.5 + now.examined / now.to_examine / 2 : now.expected ? now.found / now.expected / 2 : 0.1;
  element("selection-meter").querySelector("rect").setAttribute("width", (100 * part).toFixed(1));
  element("selection-error").hidden = !now.error;
  element("selection-error").textContent = now.error ?? "";
  element("count-in").textContent = now.included.toLocaleString("en");
  element("count-out").textContent = now.excluded.toLocaleString("en");
  element("selection-link").href = `/ui/selections/${now.id}`;
  element("stop-selecting").hidden = isDone;
  element("selection-hint").hidden = true;
  return isDone;
};

const select = async () => {
  source?.close();
  const document = editor.text();
  const { selection: started } = await api("POST", "/selections", { document });
  selectedBy = document;
  element("repositories").replaceChildren();
  element("explanation").textContent = "";
  showSelection(started);
  const heard = ({ selection: now }) => { if (showSelection(now) && now.state === "complete") attempt(showRepositories); };
  source = follow(`/selections/${started.id}/events`, { snapshot: heard, progress: heard });
};
press("select", select);
element("stop-selecting").addEventListener("click", () => attempt(() => api("POST", `/selections/${selection.id}/cancel`)));

const choose = (wanted) => {
  if (selection?.state !== "complete") return;
  side = wanted;
  for (const each of ["in", "out"]) {
    element(`tab-${each}`).setAttribute("aria-selected", each === wanted);
    element(`tab-${each}`).tabIndex = each === wanted ? 0 : -1;
  }
  element("repositories").setAttribute("aria-labelledby", `tab-${wanted}`);
  attempt(showRepositories);
};
for (const each of ["in", "out"]) {
  element(`tab-${each}`).addEventListener("click", (event) => { event.preventDefault(); choose(each); });
  element(`tab-${each}`).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    choose(each === "in" ? "out" : "in");
    element(`tab-${side}`).focus();
  });
}
element("explain").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const asked = new FormData(event.target).get("repository");
    const { verdict: why } = await api("GET", `/selections/${selection.id}/explain?repository=${encodeURIComponent(asked)}`);
    element("explanation").textContent = why;
  });
});

showSaved();
check();
