#include "engine/mail/message_plan.h"

#include <algorithm>
#include <array>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "engine/mail/header_encoding.h"

namespace penguin {

namespace {

namespace json = boost::json;

constexpr std::size_t kVarsArena = 8'192;     // octets on the stack for a recipient's parsed variables
constexpr std::size_t kSignatureRoom = 1'024; // octets for the signatures that come in front
constexpr std::size_t kFieldMax = 65'536;     // octets of one rendered header field's value

std::string rendered_for_all(const Template& text)
{
    std::string out;
    const Result<> done = text.render({}, false, kRenderedMax, out); // fixed text: nothing in it can fail but its size
    return done ? out : std::string{};
}

struct CostOf {
    std::size_t operator()(const std::string& fixed) const { return fixed.size(); }
    std::size_t operator()(const FieldSlot& field) const { return field.value.cost(); }
    std::size_t operator()(const MailboxSlot& mailbox) const { return mailbox.display.cost(); }
    std::size_t operator()(const UnsubscribeSlot& unsubscribe) const { return unsubscribe.url.cost(); }
    std::size_t operator()(const TextSlot& text) const { return text.text.cost(); }
    std::size_t operator()(const DateSlot& /*slot*/) const { return 0; }
    std::size_t operator()(const MessageIdSlot& /*slot*/) const { return 0; }
    std::size_t operator()(const ToSlot& /*slot*/) const { return 0; }
};

bool is_url_octet(unsigned char c)
{
    return c > 0x20 && c < 0x7F && !std::string_view{"<>\"\\^`{|}"}.contains(static_cast<char>(c));
}

} // namespace

class PlanRenderer {
public:
    PlanRenderer(const MessagePlan& plan, const RenderRequest& request, Scopes scopes)
        : plan_{plan},
          request_{request},
          scopes_{scopes}
    {
        out_.reserve(plan.slots_cost() + kSignatureRoom);
    }

    Result<std::string> run()
    {
        for (const Slot& slot : plan_.slots_) {
            Result<> done = std::visit([this](const auto& one) { return fill(one); }, slot);
            if (!done) return std::unexpected{done.error()};
            if (out_.size() > kRenderedMax)
                return fail(Errc::too_long, fmt::format("message over {} octets", kRenderedMax));
        }
        if (!out_.ends_with("\r\n")) out_ += "\r\n";
        return std::move(out_);
    }

private:
    Result<> fill(const std::string& fixed)
    {
        out_ += fixed;
        return {};
    }

    Result<> fill(const DateSlot& /*slot*/)
    {
        out_ += "Date: " + to_rfc5322(request_.now) + "\r\n";
        return {};
    }

    Result<> fill(const MessageIdSlot& /*slot*/)
    {
        out_ += "Message-ID: <" + request_.id.text() + "@" + plan_.from_.domain().text() + ">\r\n";
        return {};
    }

    Result<> fill(const ToSlot& /*slot*/)
    {
        const json::value* name = scopes_.front()->if_contains("name");
        const json::string* text = name == nullptr ? nullptr : name->if_string();
        append_mailbox("To", {text == nullptr ? std::string{} : std::string{*text}, request_.to}, out_);
        return {};
    }

    Result<> fill(const FieldSlot& slot)
    {
        Result<std::string> value = text_of(slot.value, slot.name, kFieldMax);
        if (!value) return std::unexpected{value.error()};
        if (slot.mailboxes)
            append_mailboxes(slot.name, *value, out_);
        else
            append_unstructured(slot.name, *value, out_);
        return {};
    }

    Result<> fill(const MailboxSlot& slot)
    {
        Result<std::string> display = text_of(slot.display, slot.name, kFieldMax);
        if (!display) return std::unexpected{display.error()};
        append_mailbox(slot.name, {std::move(*display), slot.address}, out_);
        return {};
    }

    Result<> fill(const UnsubscribeSlot& slot)
    {
        constexpr std::string_view kName = "list_unsubscribe";
        Result<std::string> url = text_of(slot.url, kName, kUrlMax);
        if (!url) return std::unexpected{url.error()};
        if (!url->starts_with("https://"))
            return fail(Errc::bad_value, "list_unsubscribe: not an https URL (RFC 8058)");
        if (!std::ranges::all_of(*url, [](char c) { return is_url_octet(static_cast<unsigned char>(c)); }))
            return fail(Errc::bad_value, "list_unsubscribe: an octet that a URL cannot hold");
        out_ += "List-Unsubscribe: <" + *url + ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
        return {};
    }

    Result<> fill(const TextSlot& slot)
    {
        Result<std::string> text = text_of(slot.text, "text", kRenderedMax);
        if (!text) return std::unexpected{text.error()};
        switch (slot.transfer) {
        case Transfer::quoted_printable: append_quoted_printable(*text, out_); break;
        case Transfer::base64: append_base64_text(*text, out_); break;
        }
        return {};
    }

    Result<std::string> text_of(const Template& source, std::string_view where, std::size_t room)
    {
        std::string text;
        std::size_t* const left = request_.octets_left;
        const std::size_t limit = left == nullptr ? room : std::min(room, *left);
        const Result<> done = source.render(scopes_, plan_.strict_, limit, text);
        if (left != nullptr) {
            const bool used_up = !done && done.error().code == Errc::too_long && limit < room;
            *left -= used_up ? *left : std::min(*left, text.size());
        }
        if (!done) return fail(done.error(), where);
        return text;
    }

    const MessagePlan& plan_;
    const RenderRequest& request_;
    Scopes scopes_;
    std::string out_;
};

void MessagePlan::add(Slot slot)
{
    auto* fixed = std::get_if<std::string>(&slot);
    auto* before = slots_.empty() ? nullptr : std::get_if<std::string>(&slots_.back());
    if (fixed != nullptr && before != nullptr)
        *before += *fixed;
    else
        slots_.push_back(std::move(slot));
}

void MessagePlan::add_marked(std::string_view body, std::vector<MarkedText> texts)
{
    for (MarkedText& text : texts) {
        const std::size_t at = body.find(text.mark);
        add(std::string{body.substr(0, at)});
        add(std::move(text.slot));
        body.remove_prefix(at + text.mark.size());
    }
    if (!texts.empty() && body == "\r\n") return; // the message ends with a text, which brings or gets its own line end
    add(std::string{body});
}

void MessagePlan::add_field(std::string name, Template value)
{
    const bool mailboxes = is_address_field(name);
    if (!value.constant()) return add(FieldSlot{std::move(name), std::move(value), mailboxes});
    std::string field;
    if (mailboxes)
        append_mailboxes(name, rendered_for_all(value), field);
    else
        append_unstructured(name, rendered_for_all(value), field);
    add(std::move(field));
}

void MessagePlan::add_mailbox(std::string name, Template display, const EmailAddress& address)
{
    if (!display.constant()) return add(MailboxSlot{std::move(name), std::move(display), address});
    std::string field;
    append_mailbox(name, {rendered_for_all(display), address}, field);
    add(std::move(field));
}

Result<std::string> MessagePlan::render(const RenderRequest& request) const
{
    std::array<unsigned char, kVarsArena> arena; // NOLINT: written before it is read
    json::monotonic_resource memory{arena.data(), arena.size()};
    json::value vars(json::object_kind, json::storage_ptr{&memory});
    if (!request.vars.empty()) {
        json::error_code code;
        vars = json::parse(request.vars, code, &memory);
        if (code || !vars.is_object()) return fail(Errc::malformed, "vars: not a JSON object");
    }
    const json::object own{{"email", request.to.text()}};
    const std::array<const json::object*, 3> scopes{&vars.get_object(), &own, &defaults_};
    return PlanRenderer{*this, request, scopes}.run();
}

std::size_t MessagePlan::cost() const
{
    std::size_t octets = sizeof *this + slots_cost();
    for (const auto& one : defaults_) octets += sizeof one + one.key().size() + one.value().as_string().size();
    return octets;
}

std::size_t MessagePlan::slots_cost() const
{
    std::size_t octets = 0;
    for (const Slot& slot : slots_) octets += sizeof slot + std::visit(CostOf{}, slot);
    return octets;
}

} // namespace penguin
