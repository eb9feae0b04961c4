#include "control/auth/jwks_file.h"

#include <fstream>

#include "engine/base/log.h"

namespace penguin::control {

std::optional<JwksFile::Stamp> JwksFile::stamp() const
{
    std::error_code code;
    const auto written = std::filesystem::last_write_time(file_, code);
    if (code) return std::nullopt;
    const auto size = std::filesystem::file_size(file_, code);
    if (code) return std::nullopt;
    return Stamp{written, size};
}

Result<std::shared_ptr<const Jwks>> JwksFile::read() const
{
    std::ifstream in{file_, std::ios::binary};
    if (!in) return fail(Errc::not_found, file_.string() + ": cannot be opened");
    std::string text(kJwksMax + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad()) return fail(Errc::local_fault, file_.string() + ": cannot be read");
    text.resize(static_cast<std::size_t>(in.gcount()));
    Result<Jwks> keys = Jwks::parse(text);
    if (!keys) return fail(keys.error(), file_.string());
    return std::make_shared<const Jwks>(std::move(*keys));
}

Result<JwksFile> JwksFile::load(std::filesystem::path file, SteadyTime now)
{
    JwksFile mine{std::move(file), now};
    mine.read_as_ = mine.stamp();
    auto keys = mine.read();
    if (!keys) return std::unexpected{keys.error()};
    mine.keys_ = std::move(*keys);
    return mine;
}

std::shared_ptr<const Jwks> JwksFile::keys(SteadyTime now)
{
    if (now - looked_ < kLookEvery) return keys_;
    looked_ = now;
    const auto as_it_is = stamp();
    if (as_it_is == read_as_) return keys_;
    read_as_ = as_it_is;
    auto keys = read();
    if (keys) {
        keys_ = std::move(*keys);
        log::info("auth", "jwks_read", {{"file", file_.string()}, {"keys", keys_->size()}});
    } else {
        log::error("auth", "jwks_not_read", {{"file", file_.string()}, {"why", keys.error().detail}});
    }
    return keys_;
}

} // namespace penguin::control
