// engine/queue/journal.h
// A node's own file of outcomes: each is written here before Redis is told, so that neither a killed process nor a Redis
// that lost its last writes makes the node send a message again that had its 250.
//
//   form     segments <first sequence>.log in one folder: a line that names the format, then records of length, CRC-32 and
//            content. A record that was cut by a crash ends its segment. A process starts a segment of its own.
//   durable  write(2): survives the process, and the machine as far as the kernel has written back by then
//   kept     until Redis was told, the ledger has it and Options::keep has passed since (a Redis that loses more than that
//            is repaired from PostgreSQL alone); at most Options::octets_max, then the oldest that was told goes
//   full     what cannot be written stays in memory (up to kUnwrittenMax), is read like the rest, and is written before anything else
//   threads  its owner's; the calls block for as long as the file system takes
//   errors   local_fault (no space, no permission): outcomes get their sequence all the same, and go on to Redis
//   source   DESIGN 5
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <string>

#include "engine/base/clock.h"
#include "engine/queue/settlement.h"
#include "engine/queue/stream_position.h"

namespace penguin::queue {

class Journal {
public:
    static constexpr std::size_t kUnwrittenMax = std::size_t{64} * 1024 * 1024; // octets

    struct Options {
        std::filesystem::path folder;
        std::size_t segment_max = std::size_t{8} * 1024 * 1024; // octets
        std::size_t octets_max = std::size_t{1024} * 1024 * 1024;
        std::chrono::seconds keep{300};
    };
    explicit Journal(Options options);
    ~Journal();
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    // Reads what is there; makes the folder and its identity when it is new. May be repeated after an error.
    Result<> open();
    const std::string& identity() const { return identity_; } // of the folder, for its whole life
    std::uint64_t last() const { return last_; }              // sequence given last
    std::size_t octets() const;

    // Gives each its sequence, and writes them behind what could not be written before.
    Result<> append(std::span<WrittenSettlement> settlements);
    // Whether all that was appended is written, or can be now.
    Result<> writable();
    // Redis knows our outcomes up to this one, told at this position of the stream or before.
    void told(std::uint64_t sequence, StreamPosition position);
    // The ledger has the stream up to here. Removes what nobody needs any more.
    void confirmed(StreamPosition position, SteadyTime now);
    // The last outcome of those that the ledger is known to have, segment by segment.
    std::uint64_t last_confirmed() const { return last_confirmed_; }

    // Outcomes in their order. What is appended or removed while one reads may be seen or not.
    class Reader {
    public:
        std::optional<WrittenSettlement> next();

    private:
        friend class Journal;
        Reader(std::deque<std::filesystem::path> segments, std::string unwritten, std::uint64_t after);
        std::deque<std::filesystem::path> segments_;
        std::istringstream unwritten_; // records, behind those of the segments
        std::uint64_t after_;
        std::ifstream file_;
    };
    Reader read_after(std::uint64_t sequence) const;

private:
    struct Segment {
        std::filesystem::path path;
        std::uint64_t first = 0;
        std::uint64_t last = 0; // 0: empty
        std::size_t octets = 0;
        StreamPosition told_at{}; // of its last outcome that was told
        SteadyTime begun{};
    };
    Result<> load_identity();
    Result<> write_out();
    Result<> begin_segment(std::uint64_t first);
    void end_segment();
    void remove_front();

    Options options_;
    std::string identity_;
    std::deque<Segment> segments_;
    int file_ = -1; // of the last segment
    std::uint64_t last_ = 0;
    std::uint64_t told_ = 0;
    std::uint64_t last_confirmed_ = 0;
    bool failed_ = false;
    Segment unwritten_; // what is known of the records in `text_`; it has no file
    std::string text_;  // records that are not written yet
};

} // namespace penguin::queue
