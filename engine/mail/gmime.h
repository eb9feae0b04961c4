// engine/mail/gmime.h
// What we take from gmime-3.0, with owners. Internal to engine/mail: no other module includes it.
//
//   threads  any: `ready()` initialises the library once; each object belongs to who made it
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gmime/gmime.h>

namespace penguin::gmime {

// Called before any other call of the library.
void ready();

struct Unref {
    void operator()(gpointer object) const noexcept { g_object_unref(object); }
};
template <class Object>
using Handle = std::unique_ptr<Object, Unref>;

// The text of a string that glib allocated, and its memory given back.
std::string take(char* text);

Handle<GMimeStream> memory_stream(std::string_view bytes); // copies

// Headers, an empty line and the body of a part; CRLF line ends, the last line ended.
std::string text_of(GMimeObject* part);

std::string decoded_text(const std::string& value);
// Names as encoded words, on one line. Empty when it is no list.
std::string encoded_mailboxes(const std::string& list);

} // namespace penguin::gmime
