// Keeps a run's page current: bars and rows follow the run's events, drawn at most four times a second.
const bars = document.querySelector("#bars");
const counts = new Map();
const seen = new Map();
let drawing = false;

const draw = () => {
  drawing = false;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0) || 1;
  for (const bar of bars.querySelectorAll(".bar")) {
    const count = counts.get(bar.dataset.state) ?? 0;
    bar.hidden = count === 0;
    bar.querySelector("output").textContent = count;
    const meter = bar.querySelector("meter");
    meter.max = total;
    meter.value = count;
  }
  for (const [target, payload] of seen) {
    const row = document.querySelector(`[data-target="${target}"]`);
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
  }
  seen.clear();
};

const drawSoon = () => {
  if (!drawing) setTimeout(draw, 250);
  drawing = true;
};

const showRun = (state) => {
  const badge = document.querySelector("#run-state");
  badge.className = `state ${state}`;
  badge.textContent = state;
};

const events = new EventSource(`/v1/runs/${bars.dataset.run}/events`);
events.addEventListener("snapshot", (message) => {
  const { run, counts: given } = JSON.parse(message.data);
  counts.clear();
  for (const [state, count] of Object.entries(given)) counts.set(state, count);
  showRun(run.state);
  drawSoon();
});
const states = [...bars.querySelectorAll(".bar")].map((bar) => bar.dataset.state);
for (const state of states) {
  events.addEventListener(`target.${state}`, (message) => {
    const { target_id: target, payload } = JSON.parse(message.data);
    if (payload.from !== payload.to) counts.set(payload.from, Math.max((counts.get(payload.from) ?? 0) - 1, 0));
    counts.set(payload.to, (counts.get(payload.to) ?? 0) + (payload.from === payload.to ? 0 : 1));
    seen.set(target, payload);
    drawSoon();
  });
}
for (const state of ["selecting", "planning", "running"]) events.addEventListener(`run.${state}`, () => showRun(state));
for (const state of ["completed", "failed", "cancelled"]) {
  events.addEventListener(`run.${state}`, () => location.reload());
}
events.addEventListener("run.running", () => location.reload());
events.addEventListener("end", () => events.close());
