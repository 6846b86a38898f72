// A bulk operation: it is cancelled, or done again for those targets for which it failed.
import { api, ask, attempt, toast } from "/assets/kit.js";
import { actOn } from "/assets/bulk.js";

const failedTargets = async (id) => {
  const found = [];
  let cursor = "";
  do {
    const page = await api("GET", `/bulk-operations/${id}/targets?state=failed&limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    found.push(...page.items.map((each) => each.target.id));
    cursor = page.next_cursor;
  } while (cursor);
  return found;
};

document.addEventListener("click", (event) => {
  const part = event.target.closest("[data-bulk-operation]");
  if (!part) return;
  const id = part.dataset.bulkOperation;
  if (event.target.closest("[data-cancel]")) {
    attempt(async () => {
      const left = Number(event.target.dataset.left).toLocaleString("en");
      const content = `What is done stays. About ${left} targets are still to be acted on; these are left alone.`;
      if (!(await ask({ title: "Cancel this bulk operation?", content, action: "Cancel it", kind: "bad" }))) return;
      const bulk = await api("POST", `/bulk-operations/${id}/cancel`);
      toast(`It is ${bulk.state}: ${bulk.counts.done ?? 0} done, ${bulk.counts.cancelled ?? 0} left alone.`);
      location.reload();
    });
  } else if (event.target.closest("[data-again]")) {
    attempt(async () => actOn(JSON.parse(part.dataset.action), [{ path: part.dataset.scope, filter: { ids: await failedTargets(id) } }]));
  }
});
