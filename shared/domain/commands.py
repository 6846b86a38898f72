"""The commands that travel on streams: one name and one payload each, used by who sends and who handles."""

from __future__ import annotations

from collections.abc import Sequence

from .ids import BulkOperationId, InstallationId, RunId, SelectionId, new_id
from .operation import NewOperation, Priority, Service
from .target import NewTarget, Target


def select_repositories(selection_id: SelectionId, *, actor: str, run_id: RunId | None = None) -> NewOperation:
    """Answer the `on` part of a selection's document; then, where it belongs to a run, plan that run."""
    return NewOperation(
        service=Service.SELECTION,
        type="select_repositories",
        payload={"selection_id": str(selection_id)},
        dedupe_key=f"select_repositories:{selection_id}",
        actor=actor,
        run_id=run_id,
    )


def sweep_repositories(
    installation_id: InstallationId, *, period: str, is_full: bool = False, actor: str = "schedule"
) -> NewOperation:
    """Have the index of an installation's repositories say what GitHub says; once for each `period`.

    A full one lists all of them, whatever is known.
    """
    return NewOperation(
        service=Service.SELECTION,
        type="sweep_repositories",
        payload={"installation_id": installation_id, "is_full": is_full},
        dedupe_key=f"sweep_repositories:{installation_id}:{period}",
        actor=actor,
        installation_id=installation_id,
        order_key=f"index:{installation_id}",
    )


def resolve_owners(selection_id: SelectionId, *, actor: str) -> NewOperation:
    """Find who owns the repositories of a selection."""
    return NewOperation(
        service=Service.SELECTION,
        type="resolve_owners",
        payload={"selection_id": str(selection_id)},
        dedupe_key=f"resolve_owners:{selection_id}:{new_id()}",
        actor=actor,
        order_key=f"owners:{selection_id}",
    )


def plan_run(run_id: RunId, *, actor: str) -> NewOperation:
    """Make a target of each selected repository, and a command to prepare each."""
    return NewOperation(
        service=Service.CAMPAIGNS,
        type="plan_run",
        payload={"run_id": str(run_id)},
        dedupe_key=f"plan_run:{run_id}",
        actor=actor,
        run_id=run_id,
    )


def prepare_target(target: Target | NewTarget, *, actor: str, again: str = "") -> NewOperation:
    """Run the steps, store log, patch and diff; once for each attempt of the target, and for each `again`."""
    return _for_target("prepare_target", target, f"{target.id}:{target.attempt}{again and f':{again}'}", actor=actor)


def prepare_all(
    targets: Sequence[Target | NewTarget], *, one_by_one: bool, actor: str, again: str = ""
) -> list[NewOperation]:
    """Edits are prepared a batch at a time; code runs for each target on its own, spread over all workers."""
    if one_by_one:
        return [prepare_target(target, actor=actor, again=again) for target in targets]
    batches = dict.fromkeys((target.run_id, target.installation_id, target.batch) for target in targets)
    return [prepare_targets(*batch, actor=actor, again=again) for batch in batches]


def prepare_targets(
    run_id: RunId, installation_id: InstallationId, batch: int, *, actor: str, again: str = ""
) -> NewOperation:
    """Prepare the targets of a batch together, as `prepare_target` does each; once, and for each `again`."""
    return NewOperation(
        service=Service.CAMPAIGNS,
        type="prepare_targets",
        payload={"run_id": str(run_id), "installation_id": installation_id, "batch": batch},
        dedupe_key=f"prepare_targets:{run_id}:{installation_id}:{batch}{again and f':{again}'}",
        actor=actor,
        run_id=run_id,
        installation_id=installation_id,
    )


def publish_target(target: Target | NewTarget, *, actor: str, again: str = "") -> NewOperation:
    """Push the prepared change and open its pull request; once for each attempt of the target, and for each `again`."""
    return _for_target("publish_target", target, f"{target.id}:{target.attempt}{again and f':{again}'}", actor=actor)


def run_hook(target: Target, *, hook: str, head_oid: str) -> NewOperation:
    """Do what the spec's hook says to a target's pull request, once for each commit at its head."""
    once = f"{target.id}:{hook}:{head_oid}"
    return _for_target("run_hook", target, once, actor="octobatch", hook=hook, head_oid=head_oid)


def enable_auto_merge(target: Target, *, head_oid: str, checks_state: str) -> NewOperation:
    """Have GitHub merge a target's pull request once it may; once for each commit and state of its checks."""
    once = f"{target.id}:{head_oid}:{checks_state}"
    return _for_target("enable_auto_merge", target, once, actor="octobatch", head_oid=head_oid)


def start_bulk_operation(bulk_id: BulkOperationId, *, actor: str) -> NewOperation:
    """Send a command to act on each pending target of a bulk operation."""
    return NewOperation(
        service=Service.CAMPAIGNS,
        type="start_bulk_operation",
        payload={"bulk_operation_id": str(bulk_id)},
        dedupe_key=f"start_bulk_operation:{bulk_id}",
        actor=actor,
        priority=Priority.URGENT,
    )


def act_on_target(bulk_id: BulkOperationId, target: Target, *, actor: str) -> NewOperation:
    """Do to one target what a bulk operation is for."""
    once = f"{bulk_id}:{target.id}"
    return _for_target("act_on_target", target, once, actor=actor, bulk_operation_id=str(bulk_id))


def _for_target(command: str, target: Target | NewTarget, once: str, *, actor: str, **payload: str) -> NewOperation:
    """A command for one target, after those for it that came before; one for each `once`."""
    return NewOperation(
        service=Service.CAMPAIGNS,
        type=command,
        payload={"target_id": str(target.id), **payload},
        dedupe_key=f"{command}:{once}",
        actor=actor,
        run_id=target.run_id,
        target_id=target.id,
        installation_id=target.installation_id,
        order_key=f"target:{target.id}",
    )


def handle_webhook(delivery_id: str, *, service: Service = Service.CAMPAIGNS) -> NewOperation:
    """Take in one verified webhook delivery from GitHub."""
    return NewOperation(
        service=service,
        type="handle_webhook",
        payload={"delivery_id": delivery_id},
        dedupe_key=f"handle_webhook:{delivery_id}",
        actor="github",
    )


def revoke_tokens(*, reason: str, actor: str) -> NewOperation:
    """Revoke the tokens that were evicted in the name of this operation."""
    return NewOperation(
        service=Service.TOKENS,
        type="revoke_tokens",
        payload={"reason": reason},
        dedupe_key=f"revoke_tokens:{new_id()}",
        actor=actor,
        priority=Priority.URGENT,
    )
