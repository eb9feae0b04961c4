// engine/delivery/message_maker.h
// Makes one recipient's message just before it is sent: content, rendering, DKIM signature, and the judge's look at it.
//
//   out     the whole message, CRLF line ends, DKIM-Signature fields in front
//   errors  not_found, unavailable, timeout (content); bad_value, missing (rendering); those of Signer
#pragma once

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
    awaitable<Result<std::string>> make(JobPtr job);

private:
    struct Signed {
        std::string message;
        bool audit_wanted = false;
        std::optional<DomainName> domain;
    };
    awaitable<Result<ContentPtr>> content_of(const Job& job);
    Result<Signed> render_and_sign(const Job& job, const CompiledContent& content) const;

    Contents& contents_;
    Signer& signer_;
    WorkerPool& workers_;
};

} // namespace penguin::delivery
