// A table of targets: rows are chosen and acted on, what moves is shown, the address can be copied.
import { attempt, follow, tellTimes } from "/assets/kit.js";
import { actOn } from "/assets/bulk.js";

const chosen = new Map(); // target id → run id, over pages of the table
let allMatch = false;

const section = () => document.querySelector("[data-targets]");
const boxes = () => [...section().querySelectorAll("[data-choose]")];
const rowOf = (box) => box.closest("tr");

const show = () => {
  const part = section();
  const total = Number(part.dataset.total);
  const bar = part.querySelector("[data-bulk]");
  const count = allMatch ? total : chosen.size;
  bar.hidden = count === 0;
  bar.querySelector("[data-chosen]").textContent = allMatch ? `All ${count.toLocaleString("en")} that match` : `${count.toLocaleString("en")} selected`;
  const canChooseAll = Boolean(part.dataset.run || part.dataset.campaign);
  bar.querySelector("[data-choose-all]").hidden = !canChooseAll || allMatch || count >= total;
  for (const box of boxes()) box.checked = allMatch || chosen.has(rowOf(box).dataset.target);
  const page = part.querySelector("[data-choose-page]");
  page.checked = boxes().length > 0 && boxes().every((box) => box.checked);
  page.indeterminate = !page.checked && boxes().some((box) => box.checked);
};

const choose = (box) => {
  const { target, run } = rowOf(box).dataset;
  if (allMatch) for (const each of boxes()) chosen.set(rowOf(each).dataset.target, rowOf(each).dataset.run);
  allMatch = false;
  if (box.checked) chosen.set(target, run);
  else chosen.delete(target);
};

const clear = () => {
  chosen.clear();
  allMatch = false;
};

/** The bulk operations that are meant: one for each run, or one for all that match. */
const asked = () => {
  const { run, campaign, filter } = section().dataset;
  if (allMatch) return [{ path: run ? `/runs/${run}` : `/campaigns/${campaign}`, filter: JSON.parse(filter) }];
  const byRun = Map.groupBy([...chosen], ([, runId]) => runId);
  return [...byRun].map(([runId, targets]) => ({ path: `/runs/${runId}`, filter: { ids: targets.map(([id]) => id) } }));
};

let last = null;
document.addEventListener("click", (event) => {
  const part = section();
  if (!part?.contains(event.target)) return;
  const box = event.target.closest("[data-choose]");
  if (box) {
    const all = boxes();
    const from = event.shiftKey && last ? all.indexOf(last) : -1;
    const to = all.indexOf(box);
    const range = from < 0 ? [box] : all.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const each of range) {
      each.checked = box.checked;
      choose(each);
    }
    last = box;
    show();
  } else if (event.target.matches("[data-choose-page]")) {
    for (const each of boxes()) {
      each.checked = event.target.checked;
      choose(each);
    }
    show();
  } else if (event.target.closest("[data-choose-all]")) {
    allMatch = true;
    show();
  } else if (event.target.closest("[data-choose-none]")) {
    clear();
    show();
  } else if (event.target.closest("[data-act]")) {
    const actions = JSON.parse(part.dataset.actions);
    const action = actions.find((each) => each.action === part.querySelector("[data-action]").value);
    attempt(() => actOn(action, asked()));
  } else if (event.target.closest("[data-copy-address]")) {
    navigator.clipboard.writeText(location.href);
    event.target.textContent = "Copied";
  }
});

const prepare = () => {
  const part = section();
  if (!part) return;
  const mayAct = part.dataset.actions !== "[]";
  for (const each of part.querySelectorAll("[data-choose], [data-choose-page]")) each.hidden = !mayAct;
  part.querySelector("[data-copy-address]").hidden = !navigator.clipboard;
  show();
  const isBehind = part.querySelector("#filter-text").value.trim() !== part.dataset.text; // it was typed on meanwhile
  if (isBehind && globalThis.htmx) htmx.trigger("#target-filter", "submit");
};

// What moves: rows that are shown follow their run's events, drawn at most four times a second.
const moved = new Map();
let drawing = false;
const draw = () => {
  drawing = false;
  for (const [target, payload] of moved) {
    const row = section()?.querySelector(`tr[data-target="${target}"]`);
    if (!row) continue;
    const state = row.querySelector(".state");
    state.className = `state ${payload.to}`;
    state.textContent = payload.to;
    row.querySelector(".reason").textContent = payload.reason ?? "";
    if (payload.pull_request) {
      const link = document.createElement("a");
      link.href = payload.pull_request.url;
      link.textContent = `#${payload.pull_request.number}`;
      row.querySelector(".pull").replaceChildren(link);
    }
    const time = row.querySelector("time");
    time.dateTime = new Date().toISOString();
    tellTimes(row);
  }
  moved.clear();
};

const watch = () => {
  const part = section();
  if (!part?.matches("[data-live]")) return;
  const heard = ({ target_id: target, payload }) => {
    moved.set(target, payload);
    if (!drawing) setTimeout(draw, 250);
    drawing = true;
  };
  const states = ["pending", "preparing", "prepared", "unchanged", "failed", "publishing", "draft", "open", "merged", "closed", "cancelled", "paused", "conflicted", "blocked"];
  const refresh = () => { if (!chosen.size && !allMatch) htmx.trigger("#target-filter", "submit"); };
  follow(`/runs/${part.dataset.run}/events`, {
    ...Object.fromEntries(states.map((state) => [`target.${state}`, heard])),
    "run.running": refresh,
    end: refresh,
  });
};

document.addEventListener("htmx:afterSettle", prepare);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.matches("#target-filter, thead a")) clear(); // what is not shown any more is not acted on
});
prepare();
watch();

