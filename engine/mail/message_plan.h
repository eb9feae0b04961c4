// engine/mail/message_plan.h
// A message with holes: fixed text, and slots that each recipient fills. Built once a content, rendered once a
// recipient.
//
//   out     the whole message: CRLF, 7-bit (but for UTF-8 addresses), no line over 998 octets
//   limits  kRenderedMax octets; a URL of List-Unsubscribe kUrlMax
//   errors  missing, bad_value, too_long, malformed (variables that are no JSON object): detail names the slot
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <boost/json/object.hpp>

#include "engine/mail/content.h"
#include "engine/mail/template.h"
#include "engine/mail/transfer_encoding.h"

namespace penguin {

inline constexpr std::size_t kUrlMax = 900; // octets: one line of a header field, which cannot be folded

struct DateSlot {};
struct MessageIdSlot {};
struct ToSlot {};
struct FieldSlot { // a header field of any name
    std::string name;
    Template value;
    bool mailboxes = false; // its value is a list of mailboxes
};
struct MailboxSlot { // From, Reply-To: the display name varies, the address never
    std::string name;
    Template display;
    EmailAddress address;
};
struct UnsubscribeSlot {
    Template url;
};
struct TextSlot {
    Template text;
    Transfer transfer{};
};
// A text that stands at a mark of a serialised body.
struct MarkedText {
    std::string mark;
    TextSlot slot;
};
using Slot =
    std::variant<std::string, DateSlot, MessageIdSlot, ToSlot, FieldSlot, MailboxSlot, UnsubscribeSlot, TextSlot>;

class MessagePlan {
public:
    explicit MessagePlan(EmailAddress from, bool strict, boost::json::object defaults = {})
        : from_{std::move(from)},
          strict_{strict},
          defaults_{std::move(defaults)}
    {
    }

    // Fixed text that follows fixed text joins it.
    void add(Slot slot);
    // `body` with each mark, in their order, made a slot.
    void add_marked(std::string_view body, std::vector<MarkedText> texts);
    void add_field(std::string name, Template value);
    void add_mailbox(std::string name, Template display, const EmailAddress& address);

    Result<std::string> render(const RenderRequest& request) const;
    const EmailAddress& from() const { return from_; }
    std::size_t cost() const;

private:
    friend class PlanRenderer;
    std::size_t slots_cost() const;

    EmailAddress from_;
    bool strict_ = false;
    boost::json::object defaults_;
    std::vector<Slot> slots_;
};

} // namespace penguin
