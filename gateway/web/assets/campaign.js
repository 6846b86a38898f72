// What can be done with a campaign or a run. Each act is a request of the API; what ends something asks first.
import { api, ask, attempt, toast } from "./kit.js";
import { drawBurndowns } from "./burndown.js";

const many = (count, one, several = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : several}`;

const paragraph = (text) => Object.assign(document.createElement("p"), { textContent: text });

const lines = (...texts) => {
  const part = document.createDocumentFragment();
  part.append(...texts.filter(Boolean).map(paragraph));
  return part;
};

const startRun = async (campaign, order) => {
  const { run } = await api("POST", `/campaigns/${campaign}/runs`, order);
  location.assign(`/ui/runs/${run.id}`);
};

const reload = (text) => {
  sessionStorage.setItem("said", text);
  location.reload();
};

const close = async ({ campaign }) => {
  const foreseen = await api("POST", `/campaigns/${campaign}/close`, { dry_run: true });
  const label = document.createElement("label");
  const branches = Object.assign(document.createElement("input"), { type: "checkbox", checked: true });
  label.append(branches, ` Delete ${many(foreseen.branches, "branch", "branches")} that nobody else has pushed to`);
  const content = lines(
    `This cancels ${many(foreseen.runs, "unfinished run")} and closes ${many(foreseen.pull_requests, "open pull request")}.`,
    "The campaign is archived; its history stays.",
  );
  if (foreseen.branches) content.append(label);
  if (!(await ask({ title: `Close ${campaign}?`, content, action: "Close the campaign", kind: "bad" }))) return;
  const done = await api("POST", `/campaigns/${campaign}/close`, { delete_branches: branches.checked });
  location.assign(`/ui/bulk-operations/${done.bulk_operation.id}`);
};

const acts = {
  preview: ({ campaign }) => startRun(campaign, { dry_run: true }),

  async run({ campaign, version }) {
    const content = lines(
      `Version ${version} is prepared in every repository that it selects, and pull requests are opened as it says.`,
      "A preview shows all changes first, and publishes nothing.",
    );
    if (await ask({ title: `Run ${campaign}?`, content, action: "Run" })) await startRun(campaign, { dry_run: false });
  },

  async publish({ campaign, run, prepared }) {
    const content = lines(`Pull requests are opened for ${many(Number(prepared), "prepared change")}, exactly as they are here. No step runs again.`);
    if (await ask({ title: "Publish this preview?", content, action: "Publish" })) await startRun(campaign, { preview_run_id: run });
  },

  async pause({ campaign }) {
    const { items } = await api("POST", `/campaigns/${campaign}/pause`);
    reload(`${many(items.length, "run")} paused. What was being published at this moment ends.`);
  },

  async resume({ campaign }) {
    const { items } = await api("POST", `/campaigns/${campaign}/resume`);
    reload(`${many(items.length, "run")} going on.`);
  },

  async archive({ campaign, moving }) {
    const content = lines(
      "It starts no run any more, by schedule neither. Its history and its open pull requests stay.",
      Number(moving) ? `${many(Number(moving), "run goes on that is", "runs go on that are")} under way.` : "",
    );
    if (!(await ask({ title: `Archive ${campaign}?`, content, action: "Archive" }))) return;
    await api("POST", `/campaigns/${campaign}/archive`);
    reload("Archived.");
  },

  async unarchive({ campaign }) {
    await api("POST", `/campaigns/${campaign}/unarchive`);
    reload("Taken out of the archive.");
  },

  close,

  async delete({ campaign }) {
    const content = lines("It never ran: nothing but its spec is lost.");
    if (!(await ask({ title: `Delete ${campaign}?`, content, action: "Delete", kind: "bad" }))) return;
    await api("DELETE", `/campaigns/${campaign}`);
    location.assign("/");
  },

  async "pause-run"({ run }) {
    await api("POST", `/runs/${run}/pause`);
    reload("Paused. What was being published at this moment ends.");
  },

  async "resume-run"({ run }) {
    await api("POST", `/runs/${run}/resume`);
    reload("It goes on.");
  },

  async "cancel-run"({ run }) {
    const { counts } = await api("GET", `/runs/${run}`);
    const left = ["pending", "preparing", "prepared", "publishing", "paused"].reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    const open = ["draft", "open", "conflicted"].reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    const content = lines(
      `${many(left, "target")} with work left will not be published.`,
      open ? `${many(open, "pull request stays", "pull requests stay")} open: closing the campaign closes them.` : "",
    );
    if (!(await ask({ title: "Cancel this run?", content, action: "Cancel the run", kind: "bad" }))) return;
    await api("POST", `/runs/${run}/cancel`);
    reload("Cancelled.");
  },

  async owners({ selection }) {
    const operation = await api("POST", `/selections/${selection}/owners`);
    toast("Looking for CODEOWNERS …");
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const { state, error } = await api("GET", `/operations/${operation.id}`);
      if (state === "failed") throw new Error(error ?? "the owners could not be found");
      if (state !== "accepted") break;
    }
    location.reload();
  },
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-act]");
  if (!button) return;
  button.closest("details")?.removeAttribute("open");
  button.disabled = true;
  const given = { ...button.closest("[data-campaign]")?.dataset, ...button.dataset };
  await attempt(() => acts[button.dataset.act](given));
  button.disabled = false;
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

const said = sessionStorage.getItem("said");
if (said) {
  sessionStorage.removeItem("said");
  toast(said);
}
drawBurndowns();
