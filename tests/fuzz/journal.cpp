// A node's journal after a crash: any file is opened without a fault; a file of ours that was torn or damaged gives what was
// written before that place, in its order, and takes what comes next.
//
//   input   mode, place, change, then octets: mode 0 is a whole file of a stranger; else outcomes, of which the file is made,
//           then cut (odd modes) or changed by one octet at `place`
#include "engine/queue/journal.h"
#include "tests/fuzz/check.h"

#include <unistd.h>

using namespace penguin;
using fuzz::check;
using queue::Journal;
using queue::WrittenSettlement;

namespace {

namespace fs = std::filesystem;

// One a process, emptied before each input; goes with the process.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("penguin-fuzz-journal-" + std::to_string(::getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder()
    {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    void empty() const
    {
        for (const auto& file : fs::directory_iterator{path}) fs::remove(file.path());
    }
    fs::path segment() const
    {
        for (const auto& file : fs::directory_iterator{path})
            if (file.path().extension() == ".log") return file.path();
        return {};
    }
};

std::vector<WrittenSettlement> all_of(const Journal& journal)
{
    std::vector<WrittenSettlement> out;
    Journal::Reader reader = journal.read_after(0);
    while (auto one = reader.next()) out.push_back(std::move(*one));
    return out;
}

std::vector<WrittenSettlement> outcomes_of(std::string_view octets)
{
    std::vector<WrittenSettlement> out;
    while (!octets.empty() && out.size() < 20) {
        const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(octets.front()), octets.size() - 1);
        const std::string text{octets.substr(1, length)};
        octets.remove_prefix(1 + length);
        out.push_back({.token = "t" + text,
                       .message = text,
                       .event = text,
                       .retry = length % 2 == 0 ? "" : text,
                       .retry_at_ms = -1});
    }
    return out;
}

std::string content_of(const fs::path& path)
{
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

void write(const fs::path& path, std::string_view content)
{
    std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

void check_a_strangers(const Folder& folder, std::string_view content)
{
    write(folder.path / "identity", content.substr(0, 40));
    write(folder.path / "0000000000000001.log", content);
    Journal journal{{.folder = folder.path}};
    check(journal.open().has_value());
    all_of(journal);
    std::vector<WrittenSettlement> next(1);
    check(journal.append(next).has_value() && next[0].sequence == journal.last());
}

void check_ours(const Folder& folder, std::uint8_t mode, std::size_t place, char change, std::string_view octets)
{
    std::vector<WrittenSettlement> written = outcomes_of(octets);
    {
        Journal journal{{.folder = folder.path}};
        check(journal.open() && journal.append(written));
        check(all_of(journal) == written);
    }
    const fs::path segment = folder.segment();
    if (segment.empty()) return; // nothing was written
    std::string content = content_of(segment);
    place %= content.size();
    if (mode % 2 == 1)
        content.resize(place);
    else
        content[place] = static_cast<char>(content[place] ^ change);
    write(segment, content);
    Journal journal{{.folder = folder.path}};
    check(journal.open().has_value());
    const std::vector<WrittenSettlement> kept = all_of(journal);
    check(kept.size() <= written.size() && std::equal(kept.begin(), kept.end(), written.begin()));
    check(journal.last() == (kept.empty() ? 0 : kept.back().sequence));
    if (mode % 2 == 0 && change == 0) check(kept == written);
    std::vector<WrittenSettlement> next(1);
    next[0].token = "next";
    check(journal.append(next).has_value());
    const std::vector<WrittenSettlement> all = all_of(journal);
    check(all.size() == kept.size() + 1 && all.back() == next[0]);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const Folder folder;
    if (size < 4) return 0;
    folder.empty();
    const std::string_view octets{reinterpret_cast<const char*>(data) + 4, size - 4};
    if (data[0] == 0)
        check_a_strangers(folder, octets);
    else
        check_ours(folder, data[0], data[1] * 256U + data[2], static_cast<char>(data[3]), octets);
    return 0;
}
