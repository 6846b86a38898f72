// Asks for the list again as runs move, at most every third second, and only while it is looked at.
import { follow } from "./kit.js";

let isAsked = false;
const again = () => {
  isAsked = false;
  const found = document.querySelector("#found");
  if (document.hidden || found.contains(document.activeElement) || found.querySelectorAll("#rows > tr").length > 110) return;
  htmx.ajax("GET", location.pathname + location.search, { target: "#found", select: "#found", swap: "outerHTML" });
};
const soon = () => {
  if (!isAsked) setTimeout(again, 3000);
  isAsked = true;
};
const states = ["pending", "selecting", "planning", "running", "completed", "failed", "cancelled", "paused", "resumed"];
follow("/events", { progress: soon, ...Object.fromEntries(states.map((state) => [`run.${state}`, soon])) });
