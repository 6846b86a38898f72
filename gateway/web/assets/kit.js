// What all pages share: asking the API, saying what came of it, asking before something is done, times, the theme.

export class Problem extends Error {
  constructor(problem, status) {
    super(problem.detail ?? `the server answered ${status}`);
    this.problem = problem;
    this.status = status;
  }
}

const csrfToken = () => document.querySelector("meta[name=csrf-token]").content;

/** Asks the API; gives the answer's content, null where there is none. Throws `Problem`. */
export const api = async (method, path, body, headers = {}) => {
  const sent = { Accept: "application/json", "X-CSRF-Token": csrfToken(), ...headers };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  const answer = await fetch(`/v1${path}`, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.status === 401) location.assign(`/ui/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  const content = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
  if (!answer.ok) throw new Problem(content ?? {}, answer.status);
  return content;
};

/** Shows a line for some seconds; one that says what failed stays until it is closed. */
export const toast = (text, kind = "good") => {
  const line = document.createElement("p");
  line.className = `toast ${kind}`;
  line.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet icon";
  close.setAttribute("aria-label", "Close");
  close.textContent = "×";
  close.addEventListener("click", () => line.remove());
  line.append(close);
  document.querySelector("#toasts").append(line);
  if (kind !== "bad") setTimeout(() => line.remove(), 6000);
};

/** Runs `act`, and says what went wrong if it did. */
export const attempt = async (act) => {
  try {
    return await act();
  } catch (error) {
    toast([error.message, error.problem?.advice].filter(Boolean).join(" "), "bad");
    return undefined;
  }
};

/** Asks in a dialog; true where `action` was pressed. `content` may be an element; with `closes` it only tells. */
export const ask = ({ title, content = "", action = "Go on", kind = "", closes = false }) =>
  new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const form = document.createElement("form");
    form.method = "dialog";
    const heading = document.createElement("h2");
    heading.textContent = title;
    heading.id = "ask-title";
    dialog.setAttribute("aria-labelledby", heading.id);
    const said = document.createElement("div");
    said.append(content);
    const no = document.createElement("button");
    no.value = "no";
    no.className = "quiet";
    no.textContent = "Cancel";
    const yes = document.createElement("button");
    yes.value = "yes";
    yes.className = kind;
    yes.textContent = action;
    const actions = document.createElement("p");
    actions.className = "actions";
    actions.append(...(closes ? [yes] : [no, yes]));
    form.append(heading, said, actions);
    dialog.append(form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });

/** Follows an event stream; `handlers` by event. Ends with `end`; a lost connection is shown and made again. */
export const follow = (path, handlers) => {
  const source = new EventSource(`/v1${path}`);
  for (const [event, handle] of Object.entries(handlers)) {
    source.addEventListener(event, (message) => handle(JSON.parse(message.data), message));
  }
  source.addEventListener("open", () => document.body.classList.remove("disconnected"));
  source.addEventListener("error", () => document.body.classList.add("disconnected"));
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
  return source;
};

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Writes the times of a part of the page as how long ago they were, or how long it is until then. */
export const tellTimes = (part = document) => {
  for (const time of part.querySelectorAll("time[data-ago]")) {
    const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
    const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
    time.textContent = relative.format(Math.round(seconds / length), unit);
  }
};

/** Lets the keyboard move what is wider or higher than its place. */
const reach = (part = document) => {
  for (const each of part.querySelectorAll(".scroll, pre")) {
    const overflows = each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight;
    if (overflows && !each.querySelector("a, button, input")) each.tabIndex = 0;
  }
};

reach();
addEventListener("resize", () => reach());
document.addEventListener("htmx:afterSwap", (event) => reach(event.target));

tellTimes();
setInterval(tellTimes, 10_000);
document.addEventListener("htmx:afterSwap", (event) => tellTimes(event.target));
document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRF-Token"] = csrfToken(); });

document.addEventListener("htmx:responseError", ({ detail }) => {
  let said = "";
  try {
    said = JSON.parse(detail.xhr.response).detail;
  } catch {
    // no problem, but some proxy's page
  }
  toast(said || `the server answered ${detail.xhr.status}`, "bad");
});
document.addEventListener("htmx:sendError", () => toast("The server does not answer.", "bad"));

const menu = document.querySelector("#menu");
const more = document.querySelector("#more");
const setMenu = (isOpen) => {
  if (more) more.open = isOpen;
  menu.setAttribute("aria-expanded", isOpen);
  document.querySelector("header").classList.toggle("open", isOpen);
};
menu.addEventListener("click", () => setMenu(menu.getAttribute("aria-expanded") !== "true"));
document.addEventListener("click", (event) => {
  if (more?.open && !more.contains(event.target) && menu.getAttribute("aria-expanded") !== "true") more.open = false;
});
more?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || menu.getAttribute("aria-expanded") === "true") return;
  more.open = false;
  more.querySelector("summary").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || menu.getAttribute("aria-expanded") !== "true") return;
  setMenu(false);
  menu.focus();
});

document.querySelector("#theme").addEventListener("click", () => {
  const isDark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});
