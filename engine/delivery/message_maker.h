// engine/delivery/message_maker.h
// Makes one recipient's message just before it is sent: content, rendering, DKIM signature, and the judge's look at it.
//
//   out     the whole message, CRLF line ends, DKIM-Signature fields in front
//   errors  not_found, unavailable, timeout (content); bad_value, missing (rendering); those of Signer
#pragma once

#include <optional>
#include <string>

#include "engine/delivery/contents.h"
#include "engine/delivery/job.h"
#include "engine/mail/signer.h"

namespace penguin::delivery {

class MessageMaker {
public:
    MessageMaker(Contents& contents, Signer& signer, WorkerPool& workers)
        : contents_{contents},
          signer_{signer},
          workers_{workers}
    {
    }
    // Rendered and signed; sent as it is unless the judge has to see it first.
    struct Draft {
        std::string message;
        bool audit_wanted = false;
        std::optional<DomainName> domain;
    };
    // Nothing: the content has to be fetched, or the message is so large that a worker makes it.
    std::optional<Result<Draft>> draft_at_once(const Job& job);
    // What is left to do, or all of it.
    awaitable<Result<std::string>> make(JobPtr job, std::optional<Result<Draft>> draft);

private:
    awaitable<Result<Draft>> draft(const Job& job);
    awaitable<Result<ContentPtr>> content_of(const Job& job);
    Result<Draft> render_and_sign(const Job& job, const CompiledContent& content,
                                  std::size_t* octets_left = nullptr) const;
    std::optional<Result<Draft>> small_draft(const Job& job, const CompiledContent& content) const;

    Contents& contents_;
    Signer& signer_;
    WorkerPool& workers_;
};

} // namespace penguin::delivery
