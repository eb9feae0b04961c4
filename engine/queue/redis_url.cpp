#include "engine/queue/redis_url.h"

#include <sys/un.h>

#include <boost/url.hpp>
#include <charconv>

namespace penguin::queue {

namespace {

namespace urls = boost::urls;

Result<unsigned> parse_database(std::string_view text)
{
    unsigned number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (code != std::errc{} || end != text.data() + text.size() || number > RedisUrl::kDatabaseMax)
        return fail(Errc::bad_value, "Redis URL: the database is a number from 0 to 15");
    return number;
}

Result<RedisUrl> parse_unix(const urls::url_view& url)
{
    RedisUrl out;
    if (url.has_authority() && !url.encoded_authority().empty())
        return fail(Errc::bad_value, "Redis URL: unix:// is followed by an absolute path, so by a third slash");
    out.path = url.path();
    if (out.path.size() < 2 || out.path.front() != '/')
        return fail(Errc::bad_value, "Redis URL: unix:// needs an absolute path");
    if (out.path.size() >= sizeof(sockaddr_un::sun_path))
        return fail(Errc::bad_value, "Redis URL: the socket's path is longer than the system's limit of 107 octets");
    for (const auto& parameter : url.params()) {
        if (parameter.key != "db") return fail(Errc::bad_value, "Redis URL: unix:// knows only the parameter db");
        const Result<unsigned> database = parse_database(parameter.value);
        if (!database) return std::unexpected{database.error()};
        out.database = *database;
    }
    return out;
}

Result<RedisUrl> parse_tcp(const urls::url_view& url, bool tls)
{
    RedisUrl out;
    out.tls = tls;
    out.host = url.host_type() == urls::host_type::ipv6 ? url.host_address() : url.host();
    if (out.host.empty()) return fail(Errc::bad_value, "Redis URL: no host");
    if (url.has_port() && !url.port().empty()) {
        // port_number() alone takes a port over 65535 modulo 65536.
        if (url.port_number() == 0 || std::to_string(url.port_number()) != std::string_view{url.port()})
            return fail(Errc::bad_value, "Redis URL: the port is a number from 1 to 65535");
        out.port = url.port_number();
    }
    out.user = url.user();
    out.password = url.password();
    if (!out.user.empty() && out.password.empty())
        return fail(Errc::bad_value, "Redis URL: a user needs a password (user:password@host)");
    std::string path = url.path();
    if (path == "/") path.clear();
    if (!path.empty()) {
        const Result<unsigned> database = parse_database(std::string_view{path}.substr(1));
        if (!database) return std::unexpected{database.error()};
        out.database = *database;
    }
    if (url.has_query()) return fail(Errc::bad_value, "Redis URL: redis:// takes no parameters");
    return out;
}

} // namespace

Result<RedisUrl> RedisUrl::parse(std::string_view text)
{
    const auto parsed = urls::parse_uri(text);
    if (!parsed) return fail(Errc::malformed, "Redis URL: not a URL (" + parsed.error().message() + ")");
    if (parsed->has_fragment()) return fail(Errc::bad_value, "Redis URL: takes no fragment");
    if (parsed->scheme() == "unix") return parse_unix(*parsed);
    if (parsed->scheme() == "redis") return parse_tcp(*parsed, false);
    if (parsed->scheme() == "rediss") return parse_tcp(*parsed, true);
    return fail(Errc::bad_value, "Redis URL: the scheme is redis, rediss or unix");
}

std::string RedisUrl::shown() const
{
    if (!path.empty()) return "unix://" + path + (database == 0 ? "" : "?db=" + std::to_string(database));
    const std::string place = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return (tls ? "rediss://" : "redis://") + place + ":" + std::to_string(port) + "/" + std::to_string(database);
}

} // namespace penguin::queue
