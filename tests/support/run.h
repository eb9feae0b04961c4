// tests/support/run.h
// Runs a coroutine of ours from a test: `const auto answer = run(io, dns.mx(name));`
// Gives up after kRunMax: a coroutine that never ends is a failure of the test, not a hang.
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "engine/base/asio.h"

namespace penguin::tests {

inline constexpr std::chrono::seconds kRunMax{50};

template <class T>
T run(asio::io_context& io, awaitable<T> work)
{
    std::optional<T> value;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T result) {
        failure = thrown;
        value = std::move(result);
        io.stop();
    });
    io.restart();
    io.run_for(kRunMax);
    if (failure) std::rethrow_exception(failure);
    if (!value) throw std::runtime_error{"a coroutine did not end"};
    return std::move(*value);
}

} // namespace penguin::tests
