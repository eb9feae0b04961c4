"""Every fault by its name."""
import faults_campaign
import faults_machine
import faults_network
import faults_node
import faults_postgres
import faults_redis
from plan import Kind

PARTS = (faults_node, faults_redis, faults_postgres, faults_network, faults_machine, faults_campaign)
ALL = {fault.name: fault for part in PARTS for fault in part.FAULTS}


def kinds(abilities, names=None):
    """({name: Kind} of what can be done here, [names that cannot])."""
    wanted = {name: ALL[name] for name in (names or ALL)}
    able = {name: Kind(fault.group, *fault.seconds) for name, fault in wanted.items() if set(fault.needs) <= set(abilities)}
    return able, sorted(set(wanted) - set(able))


def describe():
    """One line a fault."""
    for name, fault in ALL.items():
        words = (fault.__doc__ or "").strip().split("\n")[0]
        shortest, longest = fault.seconds
        yield f"{name:22} {shortest:5g} to {longest:g} s  {words}"
