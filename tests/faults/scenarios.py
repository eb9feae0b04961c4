"""Every scenario by its name."""
import scenario_crash_points
import scenario_flushall
import scenario_node_killed
import scenario_node_stopped
import scenario_postgres_away

ALL = {"crash-points": scenario_crash_points, "flushall": scenario_flushall, "node-killed": scenario_node_killed,
       "node-stopped": scenario_node_stopped, "postgres-away": scenario_postgres_away}


def describe():
    """One line a scenario."""
    for name, scenario in ALL.items():
        yield f"{name:22} {scenario.__doc__.strip().splitlines()[0]}"
