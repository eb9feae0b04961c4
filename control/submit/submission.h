// control/submit/submission.h
// One checked batch on its way into the stores, and the statements that a group of them is. Pure.
//
//   group    submissions of one tenant that share transactions; its members need not know each other
//   repeats  every statement may run twice: a content is there already, a batch keeps the id that it was given
//   errors   of answer_again: key_reused, fault (damaged refusals)
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/db/params.h"
#include "control/db/rows.h"
#include "control/submit/batch_check.h"
#include "engine/policy/sending_window.h"

namespace penguin::control::submit {

inline constexpr std::chrono::hours kContentKept{7 * 24}; // after the last batch that names it has expired

struct Accepted {
    BatchId batch;
    std::size_t count = 0; // messages; their ids are <batch>.0 ... <batch>.<count - 1>
    std::vector<Refusal> refused;
    bool repeated = false; // the answer of an earlier request with this key
};
using Answer = std::expected<Accepted, BatchRefused>;

struct Submission {
    Submission(CheckedBatch checked, WallTime at) : batch{std::move(checked)}, now{at}, id{Uuid::v7(at)} {}

    CheckedBatch batch;
    WallTime now;
    BatchId id;
    std::vector<db::Bytes> chunks; // of the recipients that are accepted, once judged
    std::size_t total = 0;
    std::optional<Answer> answer; // set: nothing is left to do
};
using Group = std::vector<Submission*>; // not empty

// What the control tier knows of the tenant, its domains and these recipients.
struct Standing {
    std::string status; // "" when there is no such tenant
    PoolName pool;
    std::set<std::string> verified;   // domain names
    std::set<std::string> suppressed; // folded addresses
    std::set<CampaignId> cancelled;
    std::map<CampaignId, policy::SendingWindow> windows;
};

std::vector<db::Statement> standing_statements(const Group& group);
Standing standing_in(const std::vector<db::Rows>& answers);

// Refuses it, or gives it its chunks.
void judge(Submission& one, const Standing& known);

db::Statement content_statement(const Group& group);
db::Statement batch_statement(const Group& group, const PoolName& pool); // gives the ids of those that it wrote
db::Statement find_by_key(const Group& group);
db::Statement find_by_id(const Group& group);
std::string key_in(const db::Row& row);
Answer answer_again(const db::Row& row, std::string_view hash);

std::unexpected<BatchRefused> refuse(const Error& error);

} // namespace penguin::control::submit
