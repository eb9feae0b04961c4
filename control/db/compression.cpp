#include "control/db/compression.h"

#include <algorithm>
#include <new>

#include <zlib.h>

namespace penguin::control::db {

std::string compress(std::string_view octets)
{
    uLongf size = compressBound(octets.size());
    std::string out(size, '\0');
    const int status = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                                 reinterpret_cast<const Bytef*>(octets.data()), octets.size(), Z_BEST_SPEED);
    if (status != Z_OK) throw std::bad_alloc{}; // the buffer is large enough by compressBound, so nothing else can be
    out.resize(size);
    return out;
}

Result<std::string> decompress(std::string_view compressed, std::size_t max)
{
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) throw std::bad_alloc{};
    struct End {
        z_stream* stream;
        ~End() { inflateEnd(stream); }
    } const end{&stream};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data())); // zlib only reads it
    stream.avail_in = static_cast<uInt>(compressed.size());
    std::string out;
    std::size_t step = std::clamp<std::size_t>(compressed.size() * 4, 1024, 1024 * 1024);
    while (true) {
        const std::size_t before = out.size();
        out.resize(std::min(before + step, max + 1));
        stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream.avail_out = static_cast<uInt>(out.size() - before);
        const int status = inflate(&stream, Z_NO_FLUSH);
        out.resize(out.size() - stream.avail_out);
        if (out.size() > max) return fail(Errc::too_long, "more octets than " + std::to_string(max));
        if (status == Z_STREAM_END && stream.avail_in == 0) return out;
        if (status == Z_MEM_ERROR) throw std::bad_alloc{};
        if (status != Z_OK || out.size() == before) return fail(Errc::malformed, "damaged compressed data");
    }
}

} // namespace penguin::control::db
