// What GitHub's own clients do with the sandbox. Facts come as JSON on standard input, what was seen goes to standard output.
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { readFileSync } from "node:fs";

const { baseUrl, appId, privateKey, owner } = JSON.parse(readFileSync(0, "utf8"));
const repo = "service";

const app = new Octokit({ authStrategy: createAppAuth, auth: { appId, privateKey }, baseUrl });
const installations = await app.paginate(app.rest.apps.listInstallations);
const installationId = installations[0].id;

const octokit = new Octokit({
  authStrategy: createAppAuth,
  auth: { appId, privateKey, installationId },
  baseUrl,
});
const repositories = await octokit.paginate(octokit.rest.apps.listReposAccessibleToInstallation, { per_page: 10 });
const file = await octokit.rest.repos.getContent({ owner, repo, path: "README.md" });
const main = await octokit.rest.git.getRef({ owner, repo, ref: "heads/main" });
await octokit.rest.git.createRef({ owner, repo, ref: "refs/heads/octokit", sha: main.data.object.sha });
await octokit.rest.repos.createOrUpdateFileContents({
  owner,
  repo,
  path: "octokit.txt",
  message: "Add a file",
  content: Buffer.from("octokit\n").toString("base64"),
  branch: "octokit",
});
const pull = await octokit.rest.pulls.create({ owner, repo, title: "Add a file", head: "octokit", base: "main" });
const merge = await octokit.rest.pulls.merge({ owner, repo, pull_number: pull.data.number, merge_method: "squash" });
const closed = await octokit.paginate(octokit.rest.pulls.list, { owner, repo, state: "closed" });
const { viewer } = await octokit.graphql("{ viewer { login } }");

console.log(
  JSON.stringify({
    installation: installationId,
    repositories: repositories.length,
    readme: Buffer.from(file.data.content, "base64").toString(),
    merged: merge.data.merged,
    closed: closed.map((each) => each.number),
    viewer: viewer.login,
  }),
);
