// A template and its variables, cut at the first NUL: compiling and rendering end, in bounds, whatever they are.
#include <cassert>

#include <boost/json/parse.hpp>

#include "engine/mail/template.h"

using namespace penguin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t kRoom = 64 * 1024;
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    const std::size_t cut = std::min(input.find('\0'), input.size());
    boost::json::error_code code;
    const boost::json::value vars = boost::json::parse(input.substr(std::min(cut + 1, input.size())), code);
    const boost::json::object none;
    const boost::json::object* const scopes[]{!code && vars.is_object() ? &vars.get_object() : &none};
    for (const Escape escape : {Escape::none, Escape::html, Escape::url, Escape::name}) {
        const Result<Template> compiled = Template::compile(input.substr(0, cut), escape);
        if (!compiled) return 0;
        for (const bool strict : {false, true}) {
            std::string out;
            const Result<> done = compiled->render(scopes, strict, kRoom, out);
            assert(!done || out.size() <= kRoom);
        }
        if (!compiled->constant()) continue;
        std::string out;
        const Result<> done = compiled->render(scopes, true, kRoom, out);
        assert(done || done.error().code == Errc::too_long);
    }
    return 0;
}
