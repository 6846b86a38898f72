"""What can be done in the sandbox, once for REST, GraphQL, git and the control API: with its rules and its events.

An action takes the `World`, the `Account` that acts, and records; it does not check permissions (`access.Viewer` does).
An action changes state and git, emits the webhooks, and returns the changed record; `errors.Refused` says why it does
nothing. Whether a pull request merges is asked of `mergeability`.

| module | actions |
| --- | --- |
| `branches` | `create_ref`, `update_refs` (all or none), `delete_ref`, `commit_on_branch`, `moved` (what follows) |
| `pulls` | `create`, `update`, `close`, `reopen`, `mark_ready`, `convert_to_draft` |
| `merging` | `merge`, `enable_auto_merge`, `disable_auto_merge`, `merge_if_ready` |
| `conversation` | labels, assignees, review requests, reviews, comments |
| `checks` | `create_run`, `update_run`, `set_status` |
| `repositories` | `create`, `create_many`, `update`, `rename`, `transfer`, `delete` |
| `installing` | `create_app`, `install`, `uninstall`, `suspend`, `unsuspend`, `mint_token` |
"""
