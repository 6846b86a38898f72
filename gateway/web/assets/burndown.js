// Open and merged pull requests over time, in the colours of the page.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const SECOND = 1;
const DAY = 86_400;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];
const written = (form) => (seconds) => new Intl.DateTimeFormat("en-GB", form).format(new Date(seconds * 1000));
const clock = written({ hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = written({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = written({ day: "numeric", month: "short" });
const moment = written({ dateStyle: "medium", timeStyle: "medium" });

const times = (_, splits, __, ___, step) => {
  const name = step >= DAY ? day : step >= 60 * SECOND ? clock : clockWithSeconds;
  return splits.map((at, index) => (step < DAY && index && day(at) !== day(splits[index - 1]) ? day(at) : name(at)));
};

const options = (width) => {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "12px system-ui" };
  const line = (label, name) => ({ label, stroke: colour(name), fill: `${colour(name)}22`, width: 2, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }) });
  return {
    width,
    height: 220,
    padding: [12, 12, 0, 0],
    cursor: { y: false, drag: { setScale: false } },
    scales: { y: { range: (_, __, most) => [0, Math.max(most, 1) * 1.08] } },
    axes: [{ ...axis, incrs: STEPS, values: times, space: 70 }, { ...axis, size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000] }],
    series: [{ label: "At", value: (_, at) => (at === null ? "–" : moment(at)) }, line("Open", "--good"), line("Merged", "--merged")],
  };
};

const drawn = new Map();

const draw = (figure) => {
  const place = figure.querySelector(".plot");
  drawn.get(figure)?.destroy();
  drawn.set(figure, new uPlot(options(place.clientWidth), JSON.parse(figure.dataset.burndown), place));
};

/** Draws each burndown of the page; one that is drawn already is drawn anew, as after a change of its colours. */
export const drawBurndowns = () => {
  for (const figure of drawn.keys()) {
    if (figure.isConnected) continue;
    drawn.get(figure).destroy();
    drawn.delete(figure);
  }
  if (window.uPlot) document.querySelectorAll("[data-burndown]").forEach(draw);
};

new MutationObserver(drawBurndowns).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawBurndowns);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) drawBurndowns();
  width = innerWidth;
});
