"""Faults of people: a campaign is paused under load, and goes on again."""
import http.client
import threading
import time

from api import Api
from fault import Fault
from load import CAMPAIGNS, campaign_id

CALL = 5                 # seconds for a call
PAUSED_WITHIN = 15       # seconds for the call that pauses; with the API away there is no pause then
RESUMED_WITHIN = 180     # seconds for the call that resumes: what else is broken is healed by then


class Paused(Fault):
    """One of the campaigns of a tenant is paused."""
    name, group, seconds = "campaign.pause", "campaign", (2.0, 30.0)

    def begin(self, ground, choice):
        if not self._ask(ground, choice, "pause", PAUSED_WITHIN):
            return "no node answered"
        return self._campaign(ground, choice)[1]

    def end(self, ground, choice):
        # Another fault of the step may not be healed yet.
        threading.Thread(target=self._resume, args=(ground, choice), daemon=True).start()

    def _resume(self, ground, choice):
        if not self._ask(ground, choice, "resume", RESUMED_WITHIN):
            ground.problem(f"campaign {self._campaign(ground, choice)[1]} could not be resumed within {RESUMED_WITHIN} s")

    @staticmethod
    def _campaign(ground, choice):
        tenant = ground.tenants[choice.number % len(ground.tenants)]
        return tenant, campaign_id(tenant, choice.number // len(ground.tenants) % CAMPAIGNS)

    def _ask(self, ground, choice, what, within):
        tenant, campaign = self._campaign(ground, choice)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for node in ground.nodes:
                try:
                    status, _, _ = Api(node.url, tenant.key["key"], CALL).exchange("POST", f"/v1/campaigns/{campaign}/{what}", {})
                except (OSError, http.client.HTTPException, ValueError):
                    continue
                if status == 200:
                    return True
            time.sleep(0.2)
        return False


FAULTS = (Paused,)
