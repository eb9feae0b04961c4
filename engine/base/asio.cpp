#include "engine/base/asio.h"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace penguin {

namespace {

Errc kind_of(const error_code& code)
{
    namespace error = asio::error;
    namespace errc = boost::system::errc;
    if (code == error::operation_aborted) return Errc::cancelled;
    if (code == error::eof || code == error::connection_reset || code == error::broken_pipe ||
        code == error::connection_aborted || code == error::not_connected || code == asio::ssl::error::stream_truncated)
        return Errc::closed;
    if (code == error::connection_refused) return Errc::refused;
    if (code == error::timed_out) return Errc::timeout;
    if (code == error::host_unreachable || code == error::network_unreachable || code == error::network_down ||
        code == errc::make_error_condition(errc::address_not_available))
        return Errc::unreachable;
    if (code == error::no_descriptors || code == error::no_memory || code == error::no_buffer_space ||
        code == errc::make_error_condition(errc::no_space_on_device) ||
        code == errc::make_error_condition(errc::too_many_files_open_in_system))
        return Errc::local_fault;
    if (code.category() == error::get_ssl_category()) return Errc::tls_failed;
    return Errc::unavailable;
}

} // namespace

Error error_of(const error_code& code, std::string_view doing)
{
    return Error{kind_of(code), std::string{doing} + ": " + code.message()};
}

awaitable<bool> sleep_for(Duration time)
{
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    const auto [code] = co_await timer.async_wait(use_result);
    co_return !code;
}

} // namespace penguin
