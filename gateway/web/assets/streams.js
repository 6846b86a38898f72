// Streams at a glance, asked for every two seconds while the page is looked at; the line is what waited in the last two minutes.
import { api } from "/assets/kit.js";

const EVERY_MS = 2000;
const KEPT = 60;
const tiles = new Map([...document.querySelectorAll("[data-stream]")].map((tile) => [tile.dataset.stream, tile]));
const seen = new Map();

const told = (stream) => {
  if (stream.dead_letters) return [`${stream.dead_letters.toLocaleString("en")} given up`, "failed"];
  if (!stream.consumers) return ["no worker", "failed"];
  if (stream.undelivered && stream.oldest_age_seconds > 60) return ["behind", "paused"];
  return stream.undelivered + stream.pending ? ["busy", "running"] : ["idle", "active"];
};

const show = (tile, stream) => {
  const points = seen.get(stream.service) ?? [];
  points.push({ at: Date.now(), waiting: stream.undelivered + stream.due + stream.held, acknowledged: stream.acknowledged });
  if (points.length > KEPT) points.shift();
  seen.set(stream.service, points);
  const most = Math.max(1, ...points.map((each) => each.waiting));
  const line = points.map((each, place) => `${120 - (points.length - 1 - place) * (120 / (KEPT - 1))},${31 - (29 * each.waiting) / most}`);
  tile.querySelector("polyline").setAttribute("points", line.join(" "));
  const [first, last] = [points[0], points.at(-1)];
  const minutes = (last.at - first.at) / 60_000;
  const numbers = { ...stream, rate: minutes > 0 ? Math.max(0, Math.round((last.acknowledged - first.acknowledged) / minutes)) : "…" };
  for (const field of tile.querySelectorAll("[data-of]")) field.textContent = numbers[field.dataset.of].toLocaleString("en");
  const [word, look] = told(stream);
  const badge = tile.querySelector("[data-told]");
  badge.textContent = word;
  badge.className = `state ${look}`;
};

const look = async () => {
  if (document.hidden) return;
  try {
    const { items } = await api("GET", "/streams");
    document.body.classList.remove("disconnected");
    for (const stream of items) if (tiles.has(stream.service)) show(tiles.get(stream.service), stream);
  } catch {
    document.body.classList.add("disconnected");
  }
};

look();
setInterval(look, EVERY_MS);
