#include "dkim/encryption_keys.h"

#include <algorithm>

#include <sys/stat.h>

#include <fmt/format.h>

#include "dkim/private_file.h"
#include "engine/base/log.h"

namespace penguin::dkim {

namespace {

constexpr std::string_view kWhat = "encryption keys";

std::string_view trimmed(std::string_view line)
{
    constexpr std::string_view kBlank = " \t\r";
    const std::size_t first = line.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(kBlank) - first + 1);
}

} // namespace

Result<EncryptionKeys::Keys> EncryptionKeys::parse(std::string_view text)
{
    constexpr std::size_t kShortest = 43; // base64 of 32 octets; 32 raw octets could hold a line end
    Keys keys;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#') continue;
        if (keys.size() == kKeysMax) return fail(Errc::too_long, fmt::format("more than {} keys", kKeysMax));
        Result<MasterKey> key = fail(Errc::malformed, "");
        if (line.size() >= kShortest) key = MasterKey::parse(line);
        if (!key)
            return fail(Errc::malformed,
                        fmt::format("line {} is neither 64 hex digits nor base64 of 32 octets", number));
        const bool known = std::ranges::any_of(keys, [&](const MasterKey& one) { return one.id() == key->id(); });
        if (known) return fail(Errc::malformed, fmt::format("line {} has a key that is there already", number));
        keys.push_back(std::move(*key));
    }
    if (keys.empty()) return fail(Errc::malformed, "no key");
    return keys;
}

EncryptionKeys::Stamp EncryptionKeys::stamp() const
{
    struct stat status{};
    if (::stat(file_.c_str(), &status) != 0) return {};
    return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

Result<EncryptionKeys::Keys> EncryptionKeys::read() const
{
    const Result<Secret> text = read_private_file(kWhat, file_, kFileMax);
    if (!text) return std::unexpected{text.error()};
    Result<Keys> keys = parse(text->bytes());
    if (!keys) return fail(keys.error(), fmt::format("{} {}", kWhat, file_.string()));
    return keys;
}

Result<std::shared_ptr<EncryptionKeys>> EncryptionKeys::load(const std::filesystem::path& file)
{
    std::shared_ptr<EncryptionKeys> mine{new EncryptionKeys{file}};
    mine->read_as_ = mine->stamp();
    Result<Keys> keys = mine->read();
    if (!keys) return std::unexpected{keys.error()};
    mine->keys_ = std::make_shared<const Keys>(std::move(*keys));
    return mine;
}

std::shared_ptr<const EncryptionKeys::Keys> EncryptionKeys::keys()
{
    const std::scoped_lock lock{mutex_};
    const Stamp as_it_is = stamp();
    if (as_it_is == read_as_) return keys_;
    read_as_ = as_it_is;
    Result<Keys> read_now = read();
    if (read_now) {
        keys_ = std::make_shared<const Keys>(std::move(*read_now));
        log::info("dkim", "encryption_keys_read",
                  {{"file", file_.string()}, {"keys", keys_->size()}, {"wraps", keys_->front().id()}});
    } else {
        log::error("dkim", "encryption_keys_not_read", {{"why", read_now.error().detail}});
    }
    return keys_;
}

} // namespace penguin::dkim
