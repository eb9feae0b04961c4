"""A node dies at each crash point that the sources name, --times each, under steady load; it comes back at once.

    in      --times, --points WORD (only those that contain it), --rate, --nodes (default 2; the first one dies)
    out     died {point: times}; a point where it died fewer times than asked, with as many tries again, fails the run. Many deaths
            in a row keep a fleet from sending: what that leaves is sent when the last one is over
    prods   what makes a node come to points that steady load does not lead to, by words of their names
"""
import contextlib
import random
import time

from api import Api
from faults_node import crash_points
from fault import bring_back
from load import CAMPAIGNS, campaign_id
from queue_view import POOL_KEY, push_garbage, push_plain
from resp import RedisSaid
from run import Run

WAIT = 20.0            # seconds for a node to come by its point
LEASE = 35.0           # seconds until another node is taken over
PROD_EVERY = 2.0
BURST = 3000           # messages
LOSE_EVERY = 10.0
NOBODY = "01890000-0000-7000-8000-0000000000ff"   # a tenant that is none
COUNT_MAX = 4          # the n-th time that it comes by
TRIES = 2              # of each death
LIMITS = [{"monthly_quota": 10**9}, {"monthly_quota": -1, "rate": "60/minute"}, {"rate": "unlimited"}]   # by turns


def _take_over(run, node, since):
    other = run.ground.node(2)
    if other is not node and other.wanted == "up" and other.running():
        run.ground.incident(other, "kill -9")
        other.kill()


def _stop(run, node, since):
    if time.monotonic() - since > 2 and node.running():
        node.child.kill(15)


def _stop_when_busy(run, node, since):
    if time.monotonic() - since > 3:
        _burst(run, node, since)
        node.child.kill(15)


def _tidy(run, node, since):
    with run.ground.redis.open(5) as redis:
        redis("DEL", f"{POOL_KEY}janitor")
        redis("RPUSH", f"{POOL_KEY}ready:{NOBODY}:1", '{"v":1,"garbage":true}')   # as if its producer had died before ZADD


def _limits(run, node, since):
    """A quota that must be counted, then a rate that holds the tenant, then none."""
    run.turns += 1
    tenant = f"/v1/tenants/{run.ground.tenants[0].id}"
    api = Api(node.url, run.ground.admin.token, 5)
    api.once("PATCH", tenant, LIMITS[run.turns % len(LIMITS)])
    api.once("GET", tenant)


def _no_limits(run):
    for node in run.ground.nodes:
        with contextlib.suppress(OSError, ValueError):
            status, _ = Api(node.url, run.ground.admin.token, 5).once("PATCH", f"/v1/tenants/{run.ground.tenants[0].id}",
                                                                      {"monthly_quota": -1, "rate": "unlimited"})
            if status == 200:
                return


def _window(run, node, since):
    """Of a campaign without mail; another one each time."""
    run.turns += 1
    Api(node.url, run.ground.tenants[0].key["key"], 5).once("POST", f"/v1/campaigns/{NOBODY}/window",
        {"days": ["mon"], "from": f"0{run.turns % 10}:00", "until": "10:00", "time_zone": "UTC"})


def _burst(run, node, since):
    """More than the sites take at once."""
    if run.burst_at != since:
        run.burst_at = since
        run.load.submit_now(BURST)


def _lose(run, node, since):
    """When the node is a while in its place, and then now and again."""
    if time.monotonic() - max(since + 3, run.lost_at + LOSE_EVERY) > 0:
        _burst(run, node, since)
        run.lost_at = time.monotonic()
        with run.ground.redis.open(5) as redis:
            redis("FLUSHALL")


def _reconcile(run, node, since):
    if run.lost_at < since:
        _lose(run, node, since)
    api = Api(node.url, run.ground.admin.token, 5)
    api.once("POST", "/v1/queue/reconcile", {"pool": "default"})


def _pause_and_resume(run, node, since):
    """Everything that waits is of campaigns that stand still for a moment."""
    _burst(run, node, since)
    for what in ("pause", "resume"):
        for tenant in run.ground.tenants:
            api = Api(run.ground.node(2).url, tenant.key["key"], 5)
            for number in range(CAMPAIGNS):
                api.once("POST", f"/v1/campaigns/{campaign_id(tenant, number)}/{what}", {})
        time.sleep(1)


PRODS = {   # word of the name: what is done every PROD_EVERY seconds
    "takeover": _take_over,
    "queue.stop": _stop,
    "queue.release": _stop_when_busy,
    "queue.park": _burst,
    "queue.bury": lambda run, node, since: push_garbage(run.ground),
    "queue.postpone": lambda run, node, since: push_plain(run.ground, run.load, in_seconds=3.0),
    "queue.sizes": lambda run, node, since: Api(node.url, None, 5).once("GET", "/metrics"),
    "queue.readd": _tidy,
    "queue.rehand": _lose,
    "queue.reopen": _pause_and_resume,
    "queue.limit": _limits,
    "queue.count": _limits,
    "queue.standing": _limits,
    "queue.held_sizes": _limits,
    "queue.hasten": _window,
    "reconcile": _reconcile,
}
LONG = {"takeover": LEASE, "queue.readd": 60.0, "reconcile": 60.0, "queue.rehand": 20.0}   # seconds more than WAIT
ONCE = ("queue.start", "queue.recover", "queue.heartbeat")   # a node comes there once, or every 10 s


def run(args, options):
    options.nodes = args.nodes or 2
    points = [point for point in crash_points() if args.points in point]
    made = Run(options, f"crash points, {len(points)} of them, {args.times} times each")
    made.lost_at, made.burst_at, made.turns = 0.0, None, 0
    died = dict.fromkeys(points, 0)
    chance = random.Random(options.seed)
    made.extra = {"died": died, "times": args.times}

    def act(run):
        run.load.cancel_every = 6
        run.load.start()
        for _ in range(args.times * TRIES):
            for point in points:
                if died[point] < args.times:
                    died[point] += once(run, point, chance.randint(1, COUNT_MAX))
        short = [f"{point} {times}" for point, times in died.items() if times < args.times]
        if short:
            run.ground.problem(f"died fewer than {args.times} times at: {', '.join(short)}")
        with run.ground.redis.open() as redis:   # what we had buried on purpose is no leak
            redis("DEL", f"{POOL_KEY}ready:{NOBODY}:1")
            run.sleep(5)
            redis("DEL", f"{POOL_KEY}dead")
    return made.execute(act)


def once(run, point, count):
    """One death at the point; 1 when it came to that."""
    node, began = run.ground.node(1), time.monotonic()
    rare = [prod for word, prod in PRODS.items() if word in point]
    if rare or point.startswith(ONCE):
        count = 1
    with node.lock:
        node.stop()
        node.start(crash_at=f"{point}:{count}")
    deadline = began + WAIT + sum(more for word, more in LONG.items() if word in point)
    last = began
    while time.monotonic() < deadline and node.wanted == "up" and (node.running() or node.child.process.returncode == -9):
        if rare and time.monotonic() - last > PROD_EVERY:
            last = time.monotonic()
            for prod in rare:
                with contextlib.suppress(OSError, RedisSaid, ValueError):
                    prod(run, node, began)
        time.sleep(0.1)
    dead = not node.running() and node.child.process.returncode == -9
    run.faults += dead
    run.say(f"{point}:{count} {'died' if dead else 'not reached'} after {time.monotonic() - began:.1f} s")
    for each in run.ground.nodes:
        bring_back(each)
    if _limits in rare:
        _no_limits(run)
    return int(dead)
