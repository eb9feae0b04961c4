// bench/harness/places.h
// Where the parts of a world listen, and the folder they live in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace penguin::bench {

// An address of 127.0.0.0/8: the `number`th of a block of its own for each kind of thing.
std::string site_address(std::size_t number);    // 127.10.x.y
std::string relayed_address(std::size_t number); // 127.11.x.y: of the sink behind a relay at the site's address
std::string source_address(std::size_t number);  // 127.20.x.y

// A port below the ephemeral range that nobody has, TCP and UDP, on any of the addresses. Throws BenchError when there is none.
std::uint16_t free_port(const std::vector<std::string>& addresses);

// A new folder for one world, removed with all that is in it. It lies in `work`, or in /var/tmp when other users (the
// daemon's) could not get into `work` or when names of sockets in it were too long for the kernel.
class WorldFolder {
public:
    explicit WorldFolder(const std::filesystem::path& work);
    ~WorldFolder();
    WorldFolder(const WorldFolder&) = delete;
    WorldFolder& operator=(const WorldFolder&) = delete;

    const std::filesystem::path& path() const noexcept { return path_; }
    void keep() noexcept { kept_ = true; } // for who wants to read the logs

private:
    std::filesystem::path path_;
    bool kept_ = false;
};

} // namespace penguin::bench
