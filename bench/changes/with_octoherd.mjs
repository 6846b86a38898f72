// A script of @octoherd/cli: `octoherd run -S with_octoherd.mjs -T TOKEN -R "ORG/*"`. Five requests a repository.
const BRANCH = "bump-go";

export async function script(octokit, repository) {
  const owner = repository.owner.login;
  const repo = repository.name;
  const base = repository.default_branch;
  const path = "go.mod";
  const file = await octokit.request("GET /repos/{owner}/{repo}/contents/{path}", { owner, repo, path });
  const before = Buffer.from(file.data.content, "base64").toString();
  const after = before.replace(/^go 1\.22$/m, "go 1.23");
  if (after === before) return;
  const head = await octokit.request("GET /repos/{owner}/{repo}/git/ref/{ref}", { owner, repo, ref: `heads/${base}` });
  await octokit.request("POST /repos/{owner}/{repo}/git/refs", {
    owner,
    repo,
    ref: `refs/heads/${BRANCH}`,
    sha: head.data.object.sha,
  });
  await octokit.request("PUT /repos/{owner}/{repo}/contents/{path}", {
    owner,
    repo,
    path,
    branch: BRANCH,
    message: "Bump Go",
    content: Buffer.from(after).toString("base64"),
    sha: file.data.sha,
  });
  await octokit.request("POST /repos/{owner}/{repo}/pulls", { owner, repo, base, head: BRANCH, title: "Bump Go" });
}
