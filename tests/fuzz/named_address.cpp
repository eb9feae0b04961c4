// "Name <address>" from a client: what is read can be written as a field and is read from it again.
#include <cassert>

#include "engine/mail/header_encoding.h"
#include "engine/mail/named_address.h"

using namespace penguin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Result<NamedAddress> read = parse_named_address({reinterpret_cast<const char*>(data), size});
    if (!read) return 0;
    std::string field;
    append_mailbox("From", *read, field);
    assert(field.starts_with("From: ") && field.ends_with("\r\n"));
    std::string value = field.substr(6, field.size() - 8);
    for (std::size_t at = value.find("\r\n"); at != std::string::npos; at = value.find("\r\n")) value.erase(at, 2);
    assert(!value.contains('\n') && !value.contains('\r'));
    const Result<NamedAddress> again = parse_named_address(value);
    assert(value.size() > kNamedAddressMax || (again && again->address == read->address));
    return 0;
}
