// bench/sink/profile_section.h
// One table of a profile file, read key by key.
//
//   errors  the first thing that is wrong is kept in `problem`, with the key's path and the rule that it breaks; what comes
//           after it is read with defaults. end(): a key that was never asked for is not known
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "bench/sink/sink_profile.h"

namespace penguin::bench {

class ProfileSection {
public:
    template <class T>
    struct Named {
        std::string_view name;
        T value;
    };

    // Both outlive it.
    ProfileSection(const toml::table& table, std::string path, std::optional<Error>& problem);

    bool has(std::string_view key) const { return table_->contains(key); }

    // Where nothing stands: `otherwise`; without one the key must be there.
    std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most,
                        std::optional<std::int64_t> otherwise);
    double real(std::string_view key, double least, double most, std::optional<double> otherwise);
    double share(std::string_view key, std::optional<double> otherwise) { return real(key, 0, 1, otherwise); }
    bool flag(std::string_view key, bool otherwise);
    std::string text(std::string_view key);
    ProviderAnswer answer(std::string_view key);
    ProviderAnswer answer_or_drop(); // `reply`, or `drop = true` for closing without a word

    template <class T, std::size_t N>
    T choice(std::string_view key, const Named<T> (&names)[N], std::optional<T> otherwise)
    {
        const auto text = get(key).template value_exact<std::string>();
        std::string all;
        for (const Named<T>& one : names) {
            if (text && *text == one.name) return one.value;
            all += (all.empty() ? "" : ", ") + std::string{one.name};
        }
        if (has(key) || !otherwise) wrong(key, "one of " + all);
        return otherwise.value_or(names[0].value);
    }

    std::optional<ProfileSection> section(std::string_view key);
    std::vector<ProfileSection> sections(std::string_view key);

    void wrong(std::string_view key, const std::string& rule);
    void end();

private:
    toml::node_view<const toml::node> get(std::string_view key);
    std::string full(std::string_view key) const;

    const toml::table* table_;
    std::string path_;
    std::optional<Error>* problem_;
    std::set<std::string, std::less<>> asked_;
};

} // namespace penguin::bench
