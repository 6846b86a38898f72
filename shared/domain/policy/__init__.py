"""Trust policies: who may ask for tokens of which installations and repositories, and with which permissions.

policies = parse_policies(document)               # raises InvalidPolicies, with every problem and its line
decision = decide(policies, principal, wanted)    # deny by default; one policy must cover all that is wanted
decision.permissions                              # what the token shall have; nothing where it is refused
"""

from .deciding import Considered, Decision, Verdict, Wanted, decide
from .model import ApiKeyMatcher, PolicyDocument, TrustPolicy, WorkloadMatcher
from .parsing import parse_policies, policies_json_schema
from .services import service_ceiling

__all__ = [
    "ApiKeyMatcher",
    "Considered",
    "Decision",
    "PolicyDocument",
    "TrustPolicy",
    "Verdict",
    "Wanted",
    "WorkloadMatcher",
    "decide",
    "parse_policies",
    "policies_json_schema",
    "service_ceiling",
]
