#include "engine/queue/journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <zlib.h>

#include "engine/base/log.h"
#include "engine/base/uuid.h"

namespace penguin::queue {

namespace {

constexpr std::string_view kFormat = "penguin-mta journal 1\n";
constexpr std::size_t kRecordMax = std::size_t{1024} * 1024; // octets; an entry has at most 128 KiB
constexpr std::size_t kHeadSize = 8;                         // length and CRC-32 of the content

std::unexpected<Error> fault(std::string_view what, const std::filesystem::path& path)
{
    return fail(Errc::local_fault, fmt::format("journal: {} {}: {}", what, path.string(), std::strerror(errno)));
}

void put(std::string& out, std::uint64_t value, int octets)
{
    for (int i = 0; i < octets; ++i) out += static_cast<char>(value >> (8 * i));
}

void put(std::string& out, std::string_view text)
{
    put(out, text.size(), 4);
    out += text;
}

// Takes values off the front of a record; what is not there reads as nothing, and `whole` tells.
class Fields {
public:
    explicit Fields(std::string_view record) : rest_{record} {}
    std::uint64_t number(std::size_t octets)
    {
        std::uint64_t value = 0;
        const std::string_view text = take(octets);
        for (std::size_t i = 0; i < text.size(); ++i)
            value |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
        return value;
    }
    std::string text() { return std::string{take(number(4))}; }
    bool whole() const { return fits_ && rest_.empty(); }

private:
    std::string_view take(std::size_t octets)
    {
        fits_ = fits_ && octets <= rest_.size();
        const std::string_view taken = rest_.substr(0, fits_ ? octets : 0);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest_;
    bool fits_ = true;
};

std::uint32_t checksum(std::string_view text)
{
    return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

void put_record(std::string& out, const WrittenSettlement& one)
{
    const std::size_t at = out.size();
    out.append(kHeadSize, '\0');
    put(out, one.sequence, 8);
    put(out, static_cast<std::uint64_t>(one.retry_at_ms), 8);
    for (const std::string* text : {&one.token, &one.message, &one.event, &one.retry}) put(out, *text);
    const std::string_view content = std::string_view{out}.substr(at + kHeadSize);
    std::string head;
    put(head, content.size(), 4);
    put(head, checksum(content), 4);
    out.replace(at, kHeadSize, head);
}

std::optional<WrittenSettlement> parse_record(std::string_view content)
{
    Fields fields{content};
    WrittenSettlement one;
    one.sequence = fields.number(8);
    one.retry_at_ms = static_cast<std::int64_t>(fields.number(8));
    for (std::string* text : {&one.token, &one.message, &one.event, &one.retry}) *text = fields.text();
    if (!fields.whole()) return std::nullopt;
    return one;
}

std::ifstream open_segment(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    std::string format(kFormat.size(), '\0');
    if (!file.read(format.data(), static_cast<std::streamsize>(format.size())) || format != kFormat)
        file.setstate(std::ios::failbit);
    return file;
}

// Nothing at the end, and where a crash has cut the last record.
std::optional<WrittenSettlement> read_record(std::istream& file)
{
    std::string head(kHeadSize, '\0');
    if (!file.read(head.data(), static_cast<std::streamsize>(head.size()))) return std::nullopt;
    Fields fields{head};
    const std::uint64_t size = fields.number(4);
    const std::uint64_t sum = fields.number(4);
    if (size > kRecordMax) return std::nullopt;
    std::string content(size, '\0');
    if (!file.read(content.data(), static_cast<std::streamsize>(size)) || checksum(content) != sum) return std::nullopt;
    return parse_record(content);
}

bool write_all(int file, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

Journal::Journal(Options options) : options_{std::move(options)} {}

Journal::~Journal()
{
    if (file_ >= 0) ::close(file_);
}

Result<> Journal::load_identity()
{
    const std::filesystem::path path = options_.folder / "identity";
    if (std::ifstream there{path}; there && std::getline(there, identity_) && !identity_.empty()) return {};
    identity_ = Uuid::v7(wall_now()).text();
    const std::filesystem::path draft = options_.folder / "identity.new";
    {
        std::ofstream out{draft, std::ios::trunc};
        out << identity_ << '\n';
        if (!out.flush()) return fault("writing", draft);
    }
    if (::rename(draft.c_str(), path.c_str()) != 0) return fault("naming", path);
    return {};
}

Result<> Journal::open()
{
    std::error_code code;
    std::filesystem::create_directories(options_.folder, code);
    if (code) return fail(Errc::local_fault, "journal: making " + options_.folder.string() + ": " + code.message());
    ::chmod(options_.folder.c_str(), 0700);
    if (Result<> known = load_identity(); !known) return known;
    std::vector<std::filesystem::path> paths;
    for (const auto& file : std::filesystem::directory_iterator{options_.folder, code})
        if (file.path().extension() == ".log") paths.push_back(file.path());
    if (code) return fail(Errc::local_fault, "journal: reading " + options_.folder.string() + ": " + code.message());
    std::ranges::sort(paths);
    segments_.clear();
    for (const std::filesystem::path& path : paths) {
        Segment segment{.path = path, .begun = std::chrono::steady_clock::now()};
        std::ifstream file = open_segment(path);
        while (const auto one = read_record(file)) {
            if (segment.first == 0) segment.first = one->sequence;
            segment.last = one->sequence;
        }
        if (segment.last == 0) {
            std::filesystem::remove(path, code);
            continue;
        }
        segment.octets = std::filesystem::file_size(path, code);
        last_ = std::max(last_, segment.last);
        segments_.push_back(std::move(segment));
    }
    return begin_segment(last_ + 1);
}

std::size_t Journal::octets() const
{
    std::size_t sum = 0;
    for (const Segment& segment : segments_) sum += segment.octets;
    return sum;
}

Result<> Journal::begin_segment(std::uint64_t first)
{
    end_segment();
    const std::filesystem::path path = options_.folder / fmt::format("{:016x}.log", first);
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) return fault("opening", path);
    if (!write_all(file_, kFormat)) {
        const auto why = fault("writing", path);
        end_segment();
        ::unlink(path.c_str());
        return why;
    }
    segments_.push_back({.path = path, .octets = kFormat.size(), .begun = std::chrono::steady_clock::now()});
    failed_ = false;
    return {};
}

// An empty one leaves nothing behind.
void Journal::end_segment()
{
    if (file_ < 0) return;
    ::close(std::exchange(file_, -1));
    if (segments_.empty() || segments_.back().last != 0) return;
    ::unlink(segments_.back().path.c_str());
    segments_.pop_back();
}

Result<> Journal::append(std::span<WrittenSettlement> settlements)
{
    if (settlements.empty()) return {};
    if (text_.empty()) unwritten_ = {.first = last_ + 1};
    for (WrittenSettlement& one : settlements) {
        one.sequence = ++last_;
        put_record(text_, one);
    }
    unwritten_.last = last_;
    return write_out();
}

Result<> Journal::write_out()
{
    if (file_ < 0 || segments_.back().octets >= options_.segment_max) {
        Result<> begun = begin_segment(text_.empty() ? last_ + 1 : unwritten_.first);
        failed_ = !begun;
        if (!begun) return begun;
    }
    Segment& segment = segments_.back();
    if (!write_all(file_, text_)) {
        const auto why = fault("writing", segment.path);
        failed_ = true;
        // What was written in part must not stand before what is written next.
        if (::ftruncate(file_, static_cast<off_t>(segment.octets)) != 0) end_segment();
        if (text_.size() > kUnwrittenMax) text_.clear();
        return why;
    }
    failed_ = false;
    if (text_.empty()) return {};
    if (segment.first == 0) segment.first = unwritten_.first;
    segment.last = unwritten_.last;
    segment.told_at = std::max(segment.told_at, unwritten_.told_at);
    segment.octets += text_.size();
    text_.clear();
    return {};
}

Result<> Journal::writable()
{
    if (!failed_) return {};
    return write_out();
}

void Journal::told(std::uint64_t sequence, StreamPosition position)
{
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
        if (segment->last != 0 && segment->last <= told_) break;
        if (segment->first != 0 && segment->first <= sequence) segment->told_at = std::max(segment->told_at, position);
    }
    if (!text_.empty() && unwritten_.first <= sequence) unwritten_.told_at = std::max(unwritten_.told_at, position);
    told_ = std::max(told_, sequence);
    last_ = std::max(last_, sequence); // Redis has outcomes that this folder lost: their numbers are used
}

void Journal::remove_front()
{
    ::unlink(segments_.front().path.c_str());
    segments_.pop_front();
}

void Journal::confirmed(StreamPosition position, SteadyTime now)
{
    if (segments_.empty()) return;
    if (file_ >= 0 && segments_.back().last != 0 && now - segments_.back().begun >= options_.keep) {
        const Result<> begun = begin_segment(last_ + 1);
        failed_ = !begun;
    }
    for (const Segment& segment : segments_) {
        if (segment.last == 0 || segment.last > told_ || segment.told_at > position) break;
        last_confirmed_ = std::max(last_confirmed_, segment.last);
    }
    const auto told_and_closed = [this] { return segments_.size() > 1 && segments_.front().last <= told_; };
    while (told_and_closed() && segments_.front().last <= last_confirmed_ &&
           now - segments_.front().begun >= 2 * options_.keep) // it was closed at most `keep` after it was begun
        remove_front();
    while (told_and_closed() && octets() > options_.octets_max) {
        log::warning("queue", "journal_cut",
                     {{"octets", octets()}, {"why", "the ledger has not taken its outcomes yet"}});
        remove_front();
    }
}

Journal::Reader::Reader(std::deque<std::filesystem::path> segments, std::string unwritten, std::uint64_t after)
    : segments_{std::move(segments)},
      unwritten_{std::move(unwritten)},
      after_{after}
{
    file_.setstate(std::ios::failbit);
}

// What was written meanwhile may stand in a segment and among the unwritten: it is given once.
std::optional<WrittenSettlement> Journal::Reader::next()
{
    while (true) {
        std::optional<WrittenSettlement> one = read_record(file_);
        while (!one && !segments_.empty()) {
            file_ = open_segment(segments_.front());
            segments_.pop_front();
            one = read_record(file_);
        }
        if (!one) one = read_record(unwritten_);
        if (!one) return std::nullopt;
        if (one->sequence <= after_) continue;
        after_ = one->sequence;
        return one;
    }
}

Journal::Reader Journal::read_after(std::uint64_t sequence) const
{
    std::deque<std::filesystem::path> paths;
    for (const Segment& segment : segments_)
        if (segment.last > sequence) paths.push_back(segment.path);
    return {std::move(paths), text_, sequence};
}

} // namespace penguin::queue
