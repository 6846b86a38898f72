// @octokit/auth-app behind the protocol of protocol.py.
import { createAppAuth } from "@octokit/auth-app";
import { request } from "@octokit/request";
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const facts = JSON.parse((await lines.next()).value);
const auth = createAppAuth({
  appId: facts.app_id,
  privateKey: facts.private_key,
  request: request.defaults({ baseUrl: facts.api_base }),
});

const token = async ([installationId, repositoryId]) =>
  (await auth({ type: "installation", installationId, repositoryIds: [repositoryId], permissions: { contents: "read" } }))
    .token;
const now = () => Number(process.hrtime.bigint());

async function oneByOne(scopes) {
  const ns = [];
  for (const scope of scopes) {
    const begun = now();
    await token(scope);
    ns.push(now() - begun);
  }
  return { ns };
}

async function atOnce(scopes) {
  const begun = now();
  await Promise.all(scopes.map(token));
  return { begun, ended: now() };
}

console.log("{}");
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  const { do: what, scopes } = JSON.parse(line);
  console.log(JSON.stringify(await (what === "one_by_one" ? oneByOne : atOnce)(scopes)));
}
