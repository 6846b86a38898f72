"""Trust policies: who may ask for tokens of which installations and repositories, and with which permissions.

policies = parse_policies(document)               # raises InvalidPolicies, with every problem and its line
decision = decide(policies, principal, wanted)    # deny by default; one policy must cover all that is wanted
decision.permissions                              # what the token shall have; nothing where it is refused
"""

from .applying import PolicyChanges, plan_changes
from .deciding import Considered, Decision, PolicyVerdict, Wanted, decide, describe
from .model import ApiKeyMatcher, PolicyDocument, PolicyName, TrustPolicy, WorkloadMatcher
from .parsing import parse_policies, policies_json_schema
from .services import service_ceiling

__all__ = [
    "ApiKeyMatcher",
    "Considered",
    "Decision",
    "PolicyChanges",
    "PolicyDocument",
    "PolicyName",
    "PolicyVerdict",
    "TrustPolicy",
    "Wanted",
    "WorkloadMatcher",
    "decide",
    "describe",
    "parse_policies",
    "plan_changes",
    "policies_json_schema",
    "service_ceiling",
]
