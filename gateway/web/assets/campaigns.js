// Asks for the list again while a run of it moves, and the page is looked at.
const again = () => {
  const found = document.querySelector("#found[data-moving]");
  if (!found || document.hidden || found.contains(document.activeElement)) return;
  htmx.ajax("GET", location.pathname + location.search, { target: "#found", select: "#found", swap: "outerHTML" });
};
setInterval(again, 5000);
