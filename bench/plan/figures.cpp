#include "bench/plan/figures.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace penguin::bench::plan {

namespace {

namespace json = boost::json;

class Reader {
public:
    Reader(Figures figures, std::string name) : figures_{std::move(figures)}, name_{std::move(name)} {}
    Result<Figures> read(const json::value& root);

private:
    Result<> drain(const json::object& results, const json::object& root);
    Result<> submit(const json::object& results, const json::object& root);
    Result<> micro(const json::object& results);
    Result<Cost> cost(const json::object& results, const std::string& field, bool needed) const;
    Result<double> number(const json::object& object, std::string_view field, std::string_view path) const;
    Result<const json::object*> child(const json::object& object, std::string_view field) const;
    std::unexpected<Error> wrong(Errc code, std::string_view path, std::string_view rule) const
    {
        return fail(code, fmt::format("--figures {}: {} {}", name_, path, rule));
    }
    void from_here(const std::string& figure) { figures_.origin[figure] = name_; }

    Figures figures_;
    std::string name_;
};

Result<double> Reader::number(const json::object& object, std::string_view field, std::string_view path) const
{
    const json::value* value = object.if_contains(field);
    if (!value) return wrong(Errc::missing, path, "is missing");
    if (!value->is_number() || value->to_number<double>() < 0)
        return wrong(Errc::bad_value, path, "must be a number, 0 or more");
    return value->to_number<double>();
}

Result<const json::object*> Reader::child(const json::object& object, std::string_view field) const
{
    const json::value* value = object.if_contains(field);
    if (!value || !value->is_object()) return wrong(Errc::missing, field, "must be there, an object");
    return &value->get_object();
}

// The components that a node pays for: the sink is the other side.
Result<Cost> Reader::cost(const json::object& results, const std::string& field, bool needed) const
{
    if (!needed && !results.contains(field)) return Cost{};
    const auto found = child(results, field);
    if (!found) return std::unexpected{found.error()};
    Cost cost;
    for (auto& [name, to] : {std::pair{"daemon", &cost.daemon}, std::pair{"redis", &cost.redis},
                             std::pair{"postgres", &cost.postgres}, std::pair{"dns", &cost.dns}}) {
        const auto value = number(**found, name, "results." + field + "." + name);
        if (!value) return std::unexpected{value.error()};
        *to = *value;
    }
    return cost;
}

Result<> Reader::drain(const json::object& results, const json::object& root)
{
    const auto options = child(root, "options");
    if (!options) return std::unexpected{options.error()};
    const auto sending = cost(results, "cpu_us_per_message", true);
    const auto accepting = cost(results, "accept_cpu_us_per_message", false);
    const auto size = number(**options, "size", "options.size");
    if (!sending) return std::unexpected{sending.error()};
    if (!accepting) return std::unexpected{accepting.error()};
    if (!size) return std::unexpected{size.error()};
    const json::value* said = (*options)->if_contains("dkim");
    const auto dkim = parse_dkim(said && said->is_string() ? std::string_view{said->get_string()} : "");
    if (!dkim) return wrong(Errc::bad_value, "options.dkim:", dkim.error().detail);
    figures_.sending = *sending;
    figures_.sending_dkim = *dkim;
    figures_.size = *size;
    from_here("sending");
    if (results.contains("accept_cpu_us_per_message")) {
        figures_.accepting = *accepting;
        from_here("accepting");
    }
    return {};
}

Result<> Reader::submit(const json::object& results, const json::object& root)
{
    const auto machine = child(root, "machine");
    if (!machine) return std::unexpected{machine.error()};
    const auto rate = number(results, "recipients_per_second", "results.recipients_per_second");
    const auto cores = number(**machine, "cores", "machine.cores");
    if (!rate) return std::unexpected{rate.error()};
    if (!cores) return std::unexpected{cores.error()};
    if (*cores < 1 || *rate <= 0) return wrong(Errc::bad_value, "machine.cores", "and the rate must be above 0");
    figures_.accepted_a_core = *rate / *cores;
    from_here("accepted_a_core");
    return {};
}

Result<> Reader::micro(const json::object& results)
{
    const auto signing = child(results, "dkim_us");
    if (!signing) return std::unexpected{signing.error()};
    const auto rsa = number(**signing, "rsa2048", "results.dkim_us.rsa2048");
    const auto ed = number(**signing, "ed25519", "results.dkim_us.ed25519");
    if (!rsa) return std::unexpected{rsa.error()};
    if (!ed) return std::unexpected{ed.error()};
    figures_.rsa2048_us = *rsa;
    figures_.ed25519_us = *ed;
    from_here("signing");
    return {};
}

Result<Figures> Reader::read(const json::value& root)
{
    if (!root.is_object()) return wrong(Errc::malformed, "the file", "must hold one object");
    const json::value* verb = root.get_object().if_contains("verb");
    const std::string_view name = verb && verb->is_string() ? std::string_view{verb->get_string()} : "";
    const auto results = child(root.get_object(), "results");
    if (!results) return std::unexpected{results.error()};
    Result<> done;
    if (name == "drain")
        done = drain(**results, root.get_object());
    else if (name == "submit")
        done = submit(**results, root.get_object());
    else if (name == "micro")
        done = micro(**results);
    else
        return wrong(Errc::bad_value, "verb", "must be drain, submit or micro");
    if (!done) return std::unexpected{done.error()};
    return std::move(figures_);
}

} // namespace

double Figures::signing_us(Dkim dkim) const
{
    const bool rsa = dkim == Dkim::rsa2048 || dkim == Dkim::both;
    const bool ed25519 = dkim == Dkim::ed25519 || dkim == Dkim::both;
    return (rsa ? rsa2048_us : 0) + (ed25519 ? ed25519_us : 0);
}

Result<> check(const Figures& figures)
{
    if (figures.unsigned_us() > 0) return {};
    return fail(
        Errc::bad_value,
        fmt::format("--figures: the daemon's {} us a message (drain) are not above the {} us of its {} signatures",
                    figures.sending.daemon, figures.signing_us(figures.sending_dkim), name_of(figures.sending_dkim)));
}

Result<Figures> with_file(Figures figures, std::string_view text, const std::string& name)
{
    boost::system::error_code error;
    const json::value root = json::parse(text, error);
    if (error) return fail(Errc::malformed, "--figures " + name + ": no JSON: " + error.message());
    return Reader{std::move(figures), name}.read(root);
}

} // namespace penguin::bench::plan
