// @octokit/plugin-paginate-graphql, as its README shows it, with the fields that a selection keeps.
import { Octokit } from "@octokit/core";
import { paginateGraphQL } from "@octokit/plugin-paginate-graphql";

const [baseUrl, org, token] = process.argv.slice(2);
const octokit = new (Octokit.plugin(paginateGraphQL))({ auth: token, baseUrl });
const query = `query paginate($cursor: String, $org: String!) {
  rateLimit { cost }
  organization(login: $org) {
    repositories(first: 100, after: $cursor, orderBy: { field: CREATED_AT, direction: ASC }) {
      nodes {
        id databaseId nameWithOwner isArchived isFork isTemplate visibility createdAt pushedAt
        primaryLanguage { name }
        repositoryTopics(first: 20) { nodes { topic { name } } }
        defaultBranchRef { name target { oid } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;
const begun = process.hrtime.bigint();
let found = 0, points = 0;
for await (const page of octokit.graphql.paginate.iterator(query, { org })) {
  found += page.organization.repositories.nodes.length;
  points += page.rateLimit.cost;
}
const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
console.log(JSON.stringify({ found, points, seconds, megabytes: process.resourceUsage().maxRSS / 1024 }));
