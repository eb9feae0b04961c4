// dkim/secret.h
// Octets that are wiped when they go.
#pragma once

#include <string>
#include <string_view>

namespace penguin::dkim {

class Secret {
public:
    explicit Secret(std::string bytes) : bytes_{std::move(bytes)} {}
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();
    std::string_view bytes() const noexcept { return bytes_; }

private:
    void wipe() noexcept;
    std::string bytes_;
};

} // namespace penguin::dkim
