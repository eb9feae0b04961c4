// penguin-bench: the tools around the engine that are no part of it.
#include <cstdio>
#include <exception>

#include "bench/compare/compare_command.h"
#include "bench/drain/drain_command.h"
#include "bench/fairness/fairness_command.h"
#include "bench/flow/flow_command.h"
#include "bench/micro/micro_command.h"
#include "bench/plan/plan_command.h"
#include "bench/relay/relay_command.h"
#include "bench/report/report_command.h"
#include "bench/rtt/rtt_command.h"
#include "bench/scale/scale_command.h"
#include "bench/sink/sink_command.h"
#include "bench/soak/soak_command.h"
#include "bench/submit/submit_command.h"
#include "bench/sustain/sustain_command.h"

int main(int argc, char** argv)
{
    try {
        CLI::App app{"penguin-bench: the other side for demos, tests and measurements"};
        app.require_subcommand(1);
        int status = 0;
        penguin::bench::add_sink_command(app, status);
        penguin::bench::add_relay_command(app, status);
        penguin::bench::add_drain_command(app, status);
        penguin::bench::add_compare_command(app, status);
        penguin::bench::add_micro_command(app, status);
        penguin::bench::plan::add_plan_command(app, status);
        penguin::bench::add_submit_command(app, status);
        penguin::bench::add_flow_command(app, status);
        penguin::bench::add_fairness_command(app, status);
        penguin::bench::add_rtt_command(app, status);
        penguin::bench::report::add_report_command(app, status);
        penguin::bench::add_scale_command(app, status);
        penguin::bench::add_soak_command(app, status);
        penguin::bench::add_sustain_command(app, status);
        CLI11_PARSE(app, argc, argv);
        return status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "penguin-bench: %s\n", error.what());
        return 1;
    }
}
