// Asks what is to be done to targets: with what it takes, and with the count of those that it is for, as the API foresees it.
import { api, ask, toast } from "/assets/kit.js";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

const words = (text) => text.split(/[\s,]+/).filter(Boolean);

/** A field for each thing that an action takes: how it is asked for, and what is sent. */
const FIELDS = {
  body: () => {
    const input = element("textarea", { required: true, maxLength: 65000 });
    return { label: element("label", {}, "Comment (Markdown)", input), read: () => input.value.trim() };
  },
  labels: () => {
    const input = element("input", { placeholder: "dependencies, security" });
    return { label: element("label", {}, "Labels, with commas between", input), read: () => input.value.split(",").map((each) => each.trim()).filter(Boolean) };
  },
  users: () => {
    const input = element("input", { placeholder: "mona, hubot" });
    return { label: element("label", {}, "Users", input), read: () => words(input.value) };
  },
  teams: () => {
    const input = element("input", { placeholder: "core, acme/platform" });
    return { label: element("label", {}, "Teams", input), read: () => words(input.value) };
  },
  method: () => {
    const input = element("select", {}, ...["merge", "squash", "rebase"].map((each) => element("option", {}, each)));
    return { label: element("label", {}, "Method", input), read: () => input.value };
  },
  draft: () => check("as drafts"),
  delete_branch: () => check("delete branches that nobody else pushed to"),
  keep_imported: () => check("leave imported pull requests alone"),
};

const check = (text) => {
  const input = element("input", { type: "checkbox" });
  return { label: element("label", { className: "check" }, input, text), read: () => input.checked };
};

const isGiven = (value) => value !== "" && value !== false && value?.length !== 0;

/** Opens the dialog; where somebody goes on, makes the bulk operations and shows them. */
export const actOn = async (action, wanted) => {
  const fields = Object.fromEntries(action.takes.filter((name) => FIELDS[name]).map((name) => [name, FIELDS[name]()]));
  const parameters = () =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.read()]).filter(([, value]) => isGiven(value)));
  const foreseen = element("div", { className: "foreseen" });
  foreseen.setAttribute("role", "status");
  const content = element("div", {}, element("div", { className: "ask-fields" }, ...Object.values(fields).map(({ label }) => label)), foreseen);
  const body = (each, isDryRun) => ({ action: action.action, parameters: parameters(), filter: each.filter, dry_run: isDryRun });
  let asking = 0;
  const look = async () => {
    const turn = (asking += 1);
    const yes = content.closest("dialog")?.querySelector("button[value=yes]");
    if (yes) yes.disabled = true;
    if (action.needsOne && Object.keys(parameters()).length === 0) {
      foreseen.replaceChildren(element("p", { className: "quiet" }, "Fill in what is asked for: then it is said what this is for."));
      return;
    }
    try {
      const outcomes = await Promise.all(wanted.map((each) => api("POST", `${each.path}/bulk-operations`, body(each, true))));
      if (turn !== asking) return;
      const applies = outcomes.reduce((sum, each) => sum + each.applies, 0);
      foreseen.replaceChildren(...told(action, outcomes, applies));
      if (yes) yes.disabled = applies === 0;
    } catch (error) {
      if (turn !== asking) return;
      const problems = error.problem?.problems?.map((each) => each.message) ?? [];
      foreseen.replaceChildren(element("p", { className: "quiet" }, problems.join("; ") || error.message));
    }
  };
  let timer;
  content.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 250);
  });
  const answer = ask({ title: `${action.name}?`, content, action: action.name, kind: action.isDestructive ? "bad" : "" });
  await look();
  if (!(await answer)) return;
  const made = [];
  for (const each of wanted) {
    const outcome = await api("POST", `${each.path}/bulk-operations`, body(each, false), { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) });
    if (outcome.bulk_operation) made.push(outcome.bulk_operation.id);
  }
  toast("It is under way.");
  location.assign(made.length === 1 ? `/ui/bulk-operations/${made[0]}` : "/ui/bulk-operations");
};

const told = (action, outcomes, applies) => {
  const number = (count) => count.toLocaleString("en");
  const first = outcomes.flatMap((each) => each.first).slice(0, 5);
  const reasons = new Map();
  for (const { reason, count } of outcomes.flatMap((each) => each.reasons)) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  const skipped = outcomes.reduce((sum, each) => sum + each.skipped, 0);
  const lines = [element("p", { className: "count" }, applies ? `${action.name}: ${number(applies)} target${applies === 1 ? "" : "s"}` : "There is nothing to do here.")];
  if (applies) lines.push(element("p", { className: "quiet" }, first.join(", ") + (applies > first.length ? `, and ${number(applies - first.length)} more` : "")));
  if (skipped) {
    lines.push(element("p", {}, `${number(skipped)} ${skipped === 1 ? "is" : "are"} left alone:`));
    const sorted = [...reasons].sort(([, one], [, other]) => other - one);
    lines.push(element("ul", {}, ...sorted.map(([reason, count]) => element("li", {}, `${number(count)} ${reason}`))));
  }
  if (action.isDestructive && applies) lines.push(element("p", { className: "bad" }, "This cannot be taken back, or not wholly."));
  return lines;
};
