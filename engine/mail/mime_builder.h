// engine/mail/mime_builder.h
// Makes a template's plan: gmime-3.0 builds the MIME structure once, with marks where text goes; the plan is cut at
// them.
//
//   out     Date, Message-ID, From, To, Reply-To, Subject, own fields, List-Unsubscribe(-Post), MIME-Version, then the
//   body:
//           text/plain, text/html, multipart/alternative of both, inside multipart/related (attachments with a
//           Content-ID) inside multipart/mixed (the other attachments)
//   errors  bad_value, too_long, malformed: detail names the field and the rule
//   source  RFC 2045, 2046, 2183, 2231 (file names), 2387 (related), 8058 (one-click)
#pragma once

#include "engine/mail/content.h"
#include "engine/mail/message_plan.h"

namespace penguin {

// Rules of the fields that need no template compiled: sizes, header names, attachments.
Result<> check_template_content(const TemplateContent& content);

// `seed` goes into the boundaries, so that equal contents give equal messages.
Result<MessagePlan> plan_of(const TemplateContent& content, std::string_view seed);

} // namespace penguin
