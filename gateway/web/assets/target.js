// A target: files of its diff by keyboard, the log searched, and acts on this one target.
import { attempt } from "/assets/kit.js";
import { actOn } from "/assets/bulk.js";

const all = (selector) => [...document.querySelectorAll(selector)];
const isTyping = (event) => event.target.closest("input, textarea, select, dialog, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;

// The diff: j and k go from file to file, v turns the view, the list shows where one is.
const files = () => all(".diff-file");
const goTo = (file) => {
  file.open = true;
  file.scrollIntoView({ block: "start" });
  file.querySelector("summary").focus({ preventScroll: true });
};
const step = (by) => {
  const tops = files().map((file) => file.getBoundingClientRect().top);
  const here = document.activeElement.closest?.(".diff-file");
  const current = here ? files().indexOf(here) : tops.findLastIndex((top) => top <= 12);
  const next = files()[Math.max(current + by, 0)];
  if (next) goTo(next);
};
document.addEventListener("keydown", (event) => {
  if (isTyping(event) || !files().length) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "v") document.querySelector(".switch a:not([aria-current])")?.click();
});
for (const link of all("[data-file]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    goTo(document.querySelector(`#file-${link.dataset.file}`));
    history.replaceState(null, "", link.href);
  });
}
for (const link of all("[data-view]")) {
  link.addEventListener("click", () => { document.cookie = `octobatch_diff=${link.dataset.view}; path=/ui; max-age=31536000; samesite=lax`; });
}
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      for (const link of all("[data-file]")) {
        if (`file-${link.dataset.file}` === target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "0px 0px -80% 0px" },
);
for (const file of files()) seen.observe(file);
const fold = document.querySelector("[data-fold]");
if (fold) {
  fold.hidden = false;
  fold.addEventListener("click", () => {
    const anyOpen = files().some((file) => file.open);
    for (const file of files()) file.open = !anyOpen && Boolean(file.querySelector("table, .diff-facts"));
    fold.textContent = anyOpen ? "Unfold all" : "Fold all";
  });
}
const findFile = document.querySelector("[data-find-file]");
if (findFile) {
  findFile.hidden = false;
  findFile.addEventListener("input", () => {
    for (const link of all("[data-file]")) link.closest("li").hidden = !link.textContent.toLowerCase().includes(findFile.value.toLowerCase());
  });
}

// The log: lines with the text are marked, arrows go from one to the next.
let matches = [];
let at = -1;
const showMatch = (by) => {
  if (!matches.length) return;
  matches[at]?.classList.remove("here");
  at = (at + by + matches.length) % matches.length;
  const line = matches[at];
  line.closest("details").open = true;
  line.classList.add("here");
  line.scrollIntoView({ block: "center" });
  document.querySelector("[data-found]").textContent = `${at + 1} of ${matches.length}`;
};
const findInLog = (text) => {
  for (const line of all(".line.match")) line.classList.remove("match", "here");
  matches = text ? all(".log-view .line").filter((line) => line.textContent.toLowerCase().includes(text.toLowerCase())) : [];
  for (const line of matches) line.classList.add("match");
  at = -1;
  document.querySelector("[data-found]").textContent = text ? "not found" : "";
  showMatch(1);
};
const prepareLog = () => {
  for (const each of all("[data-find-log], [data-found-before], [data-found-next]")) each.hidden = false;
  const search = document.querySelector("[data-find-log]");
  if (search?.value) findInLog(search.value);
};
document.addEventListener("input", (event) => { if (event.target.matches("[data-find-log]")) findInLog(event.target.value); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-find-log]")) showMatch(event.shiftKey ? -1 : 1);
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-found-next]")) showMatch(1);
  else if (event.target.closest("[data-found-before]")) showMatch(-1);
  else if (event.target.closest("[data-act-one]")) {
    const part = event.target.closest("[data-one-target]");
    const action = JSON.parse(part.dataset.actions).find((each) => each.action === part.querySelector("[data-action]").value);
    attempt(() => actOn(action, [{ path: `/runs/${part.dataset.run}`, filter: { ids: [part.dataset.oneTarget] } }]));
  }
});

const prepare = () => {
  for (const each of all("[data-one-target] [hidden]")) each.hidden = false;
  prepareLog();
};
document.addEventListener("htmx:afterSettle", prepare);
document.addEventListener("htmx:beforeRequest", (event) => {
  const isChoosing = document.activeElement?.closest?.("[data-one-target], [data-log-bar], dialog") || document.querySelector("dialog[open]");
  if (event.detail.elt.id === "target-head" && isChoosing) event.preventDefault(); // somebody is at it: look again later
});
prepare();
if (location.hash.startsWith("#file-")) document.querySelector(location.hash)?.scrollIntoView();
