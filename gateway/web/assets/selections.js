// A selection: it is watched while it is made, cancelled, made again, and compared with another.
import { api, ask, attempt, follow } from "/assets/kit.js";

const part = document.querySelector("[data-selection]");
const id = part.dataset.selection;
const set = (name, value) => {
  const place = document.querySelector(`[${name}]`);
  if (place) place.textContent = Number(value).toLocaleString("en");
};

const show = ({ selection }) => {
  const state = document.querySelector("#selection-state");
  state.className = `state ${selection.state}`;
  state.textContent = selection.state;
  set("data-found-so-far", selection.found);
  set("data-examined", selection.examined);
  set("data-to-examine", selection.to_examine);
  set("data-requests", selection.requests);
  set("data-points", selection.points);
  const phase = document.querySelector("[data-phase]");
  phase.textContent = selection.phase === "finding" ? "Finding repositories …" : "Examining files …";
  const bar = document.querySelector(".selecting-bar");
  const [value, most] = selection.phase === "examining" ? [selection.examined, selection.to_examine] : [selection.found, selection.expected];
  if (most) {
    bar.max = most;
    bar.value = Math.min(value, most);
  } else bar.removeAttribute("value");
};

if (document.querySelector("[data-moving]")) {
  follow(`/selections/${id}/events`, { snapshot: show, progress: show, end: () => location.reload() });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-cancel-selection]")) {
    attempt(async () => {
      if (!(await ask({ title: "Cancel this selection?", content: "What it has found so far is forgotten.", action: "Cancel it", kind: "bad" }))) return;
      await api("POST", `/selections/${id}/cancel`);
      location.reload();
    });
  } else if (event.target.closest("[data-repeat]")) {
    attempt(async () => {
      const fresh = Object.assign(document.createElement("input"), { type: "checkbox" });
      const label = document.createElement("label");
      label.append(fresh, " ask GitHub for everything, whatever the index has");
      if (!(await ask({ title: "Select by the same spec again?", content: label, action: "Select" }))) return;
      const { selection } = await api("POST", `/selections/${id}/repeat`, { fresh: fresh.checked || null });
      location.assign(`/ui/selections/${selection.id}`);
    });
  }
});

document.querySelector("[data-compare]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const other = event.target.querySelector("select").value;
  const [before, after] = other < id ? [other, id] : [id, other];
  location.assign(`/ui/selections/${before}/diff/${after}`);
});
