"""The campaigns worker: plans runs, prepares and publishes targets, follows their pull requests."""

from __future__ import annotations

from shared.domain.operation import Service
from shared.settings import CampaignsSettings

from ..runtime import Periodic, Worker
from .acts.bulk import act_on_target, complete_bulk_operations, start_bulk_operation
from .context import CampaignsContext, open_campaigns
from .finishing import finish_settled_runs
from .following.deliveries import handle_webhook
from .following.hooks import run_hook
from .following.reconciling import follow_pull_requests
from .forgetting import FORGET_SECONDS, forget_artifacts, forget_step_results
from .handlers import give_up, plan_run, prepare_target, prepare_targets, publish_target
from .notifications.delivering import deliver_notifications, forget_notifications, show_messages
from .notifications.gathering import GATHER_SECONDS, gather_notifications
from .publication.auto_merge import enable_auto_merge
from .publication.decorating import decorate_pull_requests
from .release import schedules
from .release.releasing import CHECK_SECONDS, release_waiting
from .webhooks.delivering import deliver_webhooks, forget_webhooks


def _follow_interval(settings: CampaignsSettings) -> float:
    return settings.follow_interval_seconds


WORKER: Worker[CampaignsContext, CampaignsSettings] = Worker(
    service=Service.CAMPAIGNS,
    settings_class=CampaignsSettings,
    resources=open_campaigns,
    handlers={
        "plan_run": plan_run,
        "prepare_target": prepare_target,
        "prepare_targets": prepare_targets,
        "publish_target": publish_target,
        "handle_webhook": handle_webhook,
        "run_hook": run_hook,
        "enable_auto_merge": enable_auto_merge,
        "start_bulk_operation": start_bulk_operation,
        "act_on_target": act_on_target,
    },
    cron=(
        Periodic(name="follow_pull_requests", every_seconds=_follow_interval, function=follow_pull_requests),
        Periodic(name="decorate_pull_requests", every_seconds=3.0, function=decorate_pull_requests),
        Periodic(name="finish_settled_runs", every_seconds=5.0, function=finish_settled_runs),
        Periodic(name="deliver_webhooks", every_seconds=1.0, function=deliver_webhooks),
        Periodic(name="forget_artifacts", every_seconds=FORGET_SECONDS, function=forget_artifacts),
        Periodic(name="forget_step_results", every_seconds=FORGET_SECONDS, function=forget_step_results),
        Periodic(name="gather_notifications", every_seconds=GATHER_SECONDS, function=gather_notifications),
        Periodic(name="deliver_notifications", every_seconds=2.0, function=deliver_notifications),
        Periodic(name="forget_notifications", every_seconds=3600.0, function=forget_notifications),
        Periodic(name="forget_webhooks", every_seconds=3600.0, function=forget_webhooks),
        Periodic(name="start_due_runs", every_seconds=schedules.CHECK_SECONDS, function=schedules.start_due_runs),
        Periodic(name="release_waiting", every_seconds=CHECK_SECONDS, function=release_waiting),
        Periodic(name="complete_bulk_operations", every_seconds=5.0, function=complete_bulk_operations),
    ),
    on_failed=give_up,
    measure=show_messages,
)
