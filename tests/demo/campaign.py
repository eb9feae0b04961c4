"""Two tenants' campaign, through the API alone: tenants, keys, domains, DNS, verification, batches.

    in      the admin's Api, a Nameserver for what the domains must publish, recipients
    out     Tenant: its Api and domain; Sent (reconcile.py) for every message that was accepted
    errors  ApiError, WorldError
"""
import dataclasses
import uuid

from api import Api, ApiError
from nameserver import txt_record
from processes import WorldError
from reconcile import Sent

SCOPES = ["domains:read", "domains:write", "keys:read", "keys:write", "suppressions:read", "suppressions:write", "batches:read",
          "batches:write", "campaigns:read", "campaigns:write", "messages:read", "events:read"]
BATCH_MAX = 1000  # recipients; the API takes up to 10,000

TEXT = """Dear {{name}},

{{pitch}} Your number is {{serial}}.
.
A line that is only a dot stands above this one, and here comes one in Greek: Καλημέρα.
{{#discount}}
Today {{discount}} off.
{{/discount}}
"""
HTML = "<p>Dear {{name}},</p><p>{{pitch}} Your number is <b>{{serial}}</b>.</p>{{#discount}}<p>Today {{discount}} off.</p>{{/discount}}\n"


@dataclasses.dataclass(eq=False)  # a tenant is itself, not its values
class Tenant:
    name: str
    id: str
    domain: str
    key: dict       # id, secret, key: as the API gave it
    api: Api


def make_pool(admin, pool, node, sources):
    """`sources`: [(address, EHLO name)]."""
    try:
        admin.post("/v1/pools", {"name": pool})
    except ApiError as error:
        if error.status != 409:  # the daemon may have made its own pool
            raise
    for address, ehlo_name in sources:
        admin.post("/v1/sources", {"address": address, "ehlo_name": ehlo_name, "pool": pool, "node": node})


def make_tenant(admin, name, domain, pool, ed25519=False):
    tenant = admin.post("/v1/tenants", {"name": name, "pool": pool})
    key = admin.post(f"/v1/tenants/{tenant['id']}/api-keys", {"name": "demo", "scopes": SCOPES})
    made = Tenant(name, tenant["id"], domain, key, admin.as_user(key["key"]))
    made.api.post("/v1/domains", {"name": domain, "ed25519": ed25519})
    return made


def publish_and_verify(tenants, nameserver):
    """Puts the records that the API asks for into the zones, as the tenants' administrators would."""
    wanted = {tenant.domain: tenant.api.get(f"/v1/domains/{tenant.domain}")["records"] for tenant in tenants}
    nameserver.publish({domain: nameserver.zones.get(domain, []) + [_zone_line(record) for record in records]
                        for domain, records in wanted.items()})
    for tenant in tenants:
        result = tenant.api.post(f"/v1/domains/{tenant.domain}/verify")
        if not result["verified"]:
            bad = [f"{record['type']} {record['name']}: {record['status']} {record['detail']}"
                   for record in result["records"] if record["status"] != "ok"]
            raise WorldError(f"{tenant.domain} is not verified: " + "; ".join(bad))


def _zone_line(record):
    if record["type"] == "TXT":
        return txt_record(record["name"], record["value"])
    preference, host = record["value"].split()
    return f"{record['name'].rstrip('.')}. MX {preference} {host.rstrip('.')}."


def template(tenant, strict=True):
    return {"from": {"email": f"sales@{tenant.domain}", "name": "Søren of " + tenant.name},
            "reply_to": {"email": f"answers@{tenant.domain}"},
            "subject": "{{name}}, a word from " + tenant.name + " – №{{serial}}",
            "text": TEXT, "html": HTML,
            "headers": {"X-Campaign": "demo {{serial}}"},
            "list_unsubscribe": f"https://{tenant.domain}/unsubscribe/" + "{{serial}}",
            "defaults": {"pitch": "We have news.", "discount": ""}, "strict": strict}


def recipient(serial, address):
    variables = {"serial": serial}
    if serial % 3 == 0:
        variables["pitch"] = "Tom & Jerry <b>are</b> back."
    if serial % 5 == 0:
        variables["discount"] = "10 %"
    return {"email": address, "name": f"Person {serial}", "variables": variables}


def batches_of(tenant, addresses, size=BATCH_MAX, campaign=None):
    """Bodies of POST /v1/batches, all of one campaign."""
    campaign = campaign or str(uuid.uuid4())
    people = [recipient(serial, address) for serial, address in enumerate(addresses, 1)]
    for at in range(0, len(people), size):
        yield {"template": template(tenant), "campaign_id": campaign, "recipients": people[at:at + size]}


def submit(tenant, body, site_of, key=None):
    """(batch id, [Sent]) of one accepted batch. With the same `key`, calling again sends nothing twice."""
    answer = tenant.api.post("/v1/batches", body, {"Idempotency-Key": key or str(uuid.uuid4())})
    refused = {item["index"] for item in answer["refused_recipients"]}
    taken = [person["email"] for place, person in enumerate(body["recipients"]) if place not in refused]
    if len(taken) != answer["accepted"]:
        raise WorldError(f"batch {answer['id']}: says it accepted {answer['accepted']}, refused {len(refused)} of {len(body['recipients'])}")
    sent = [Sent(f"{answer['id']}.{index}", tenant.name, address, site_of(address)) for index, address in enumerate(taken)]
    return answer["id"], sent
