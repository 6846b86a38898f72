// Keeps a run's page current. Its bars and rows follow the run's events, drawn at most four times a second; what the
// server works out (when it ends, what it waits for, waves, owners) is asked for again: at most every other second, and
// less often where that is much work.
import { follow } from "./kit.js";
import { drawBurndowns } from "./burndown.js";

const STATES = [...document.querySelectorAll("#bars .bar")].map((bar) => bar.dataset.state);
const standing = () => document.querySelector("#standing");
const counts = new Map();
const seen = new Map();
let isLive = false;
let isDrawn = true;
let isAsked = false;
let pause = 2000;

const number = (count) => count.toLocaleString("en");

const drawSegments = (svg, total) => {
  let begins = 0;
  const rectangles = new Map([...svg.querySelectorAll("rect")].map((each) => [each.classList[0], each]));
  const order = [...new Set([...rectangles.keys(), ...STATES])];
  for (const state of order) {
    const width = (100 * (counts.get(state) ?? 0)) / total;
    let rectangle = rectangles.get(state);
    if (!rectangle && width) {
      rectangle = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      rectangle.setAttribute("class", state);
      rectangle.setAttribute("height", "4");
      svg.append(rectangle);
    }
    rectangle?.setAttribute("x", begins.toFixed(3));
    rectangle?.setAttribute("width", width.toFixed(3));
    begins += width;
  }
  svg.setAttribute("aria-label", `Targets by state: ${STATES.filter((state) => counts.get(state)).map((state) => `${counts.get(state)} ${state}`).join(", ")}`);
};

const drawCounts = () => {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const part = standing();
  const bars = part.querySelector("#bars");
  bars.hidden = part.querySelector(".facts").hidden = total === 0;
  for (const bar of bars.querySelectorAll(".bar")) {
    const count = counts.get(bar.dataset.state) ?? 0;
    bar.hidden = count === 0;
    bar.querySelector("output").textContent = number(count);
    bar.querySelector("rect").setAttribute("width", ((100 * count) / (total || 1)).toFixed(2));
  }
  drawSegments(bars.querySelector(".segments"), total || 1);
  for (const sum of document.querySelectorAll("[data-sum]")) {
    sum.textContent = number(sum.dataset.sum.split(" ").reduce((all, state) => all + (counts.get(state) ?? 0), 0));
  }
};

const drawRows = () => {
  for (const [target, payload] of seen) {
    const row = document.querySelector(`[data-target="${target}"]`);
    if (!row) continue;
    const state = row.querySelector(".state");
    state.className = `state ${payload.to}`;
    state.textContent = payload.to;
    const reason = row.querySelector(".reason");
    if (reason) reason.textContent = payload.reason ?? "";
    const pull = row.querySelector(".pull");
    if (payload.pull_request && pull) {
      const link = document.createElement("a");
      link.href = payload.pull_request.url;
      link.textContent = `#${payload.pull_request.number}`;
      pull.replaceChildren(link);
    }
  }
  seen.clear();
};

const drawSoon = () => {
  if (isDrawn) setTimeout(() => { isDrawn = true; drawCounts(); drawRows(); }, 250);
  isDrawn = false;
};

const askAgain = async () => {
  isAsked = false;
  if (document.hidden) return;
  const begun = performance.now();
  const opened = Boolean(standing().querySelector("details[open]"));
  const focused = standing().contains(document.activeElement) && document.activeElement.getAttribute("href");
  await htmx.ajax("GET", standing().dataset.part, { target: "#standing", swap: "outerHTML" });
  if (opened) standing().querySelector("details")?.setAttribute("open", "");
  if (focused) standing().querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
  pause = Math.max(2000, 20 * (performance.now() - begun));
  if (isLive) drawCounts();
  drawBurndowns();
};

const askSoon = (milliseconds = pause) => {
  if (!isAsked) setTimeout(askAgain, milliseconds);
  isAsked = true;
};

const replace = async (...parts) => {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  for (const part of parts) {
    const fresh = page.querySelector(part);
    const old = document.querySelector(part);
    if (!fresh || !old) continue;
    old.replaceWith(document.adoptNode(fresh));
    htmx.process(document.querySelector(part));
  }
};

const showState = (state) => {
  const badge = document.querySelector("#run-state");
  if (!badge) return;
  badge.className = `state ${state}`;
  badge.textContent = state;
};

const showRun = (state) => {
  showState(state);
  askSoon(100);
  replace("#run-actions", "#target-list");
};

if (standing().dataset.finished === "no") {
  isLive = true;
  const handlers = {
    snapshot({ run, counts: given }) {
      counts.clear();
      for (const [state, count] of Object.entries(given)) counts.set(state, count);
      showState(run.paused_at && !run.finished_at ? "paused" : run.state);
      if (run.state !== standing().dataset.state) showRun(run.state);
      drawSoon();
    },
    "run.paused": () => showRun("paused"),
    "run.resumed": ({ payload }) => showRun(payload.to),
    end() {
      isLive = false;
      askSoon(100);
    },
  };
  for (const state of ["selecting", "planning", "running", "completed", "failed", "cancelled"]) handlers[`run.${state}`] = () => showRun(state);
  for (const state of STATES) {
    handlers[`target.${state}`] = ({ target_id: target, payload }) => {
      if (payload.from !== payload.to) {
        counts.set(payload.from, Math.max((counts.get(payload.from) ?? 0) - 1, 0));
        counts.set(payload.to, (counts.get(payload.to) ?? 0) + 1);
      }
      seen.set(target, payload);
      drawSoon();
      askSoon();
    };
  }
  follow(`/runs/${standing().dataset.run}/events`, handlers);
}

// what is merged after the run has ended, how selecting goes on, and how long it waits: no event tells
setInterval(() => {
  const { finished, followed, dryRun } = standing().dataset;
  if (finished === "no" || (dryRun === "no" && followed !== "0")) askSoon(0);
}, 10_000);
