// engine/dns/single_flight.h
// Many ask for the same thing at once, one look-up answers them all.
//
//   out     run(): the value that `work` gave, for everybody who asked for `key` while it was under way
//   limits  flights_max pieces of work at a time
//   errors  those of `work`; full (too many flights), cancelled (the caller was cancelled, or stop()), local_fault
//   (`work`
//           ran out of memory)
//   cancel  a caller that goes away does not disturb the others: the work is nobody's own. It must end by itself (a
//   deadline) thread  one; `work` runs on the executor of the first who asked
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <unordered_map>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include "engine/base/asio.h"

namespace penguin::dns {

template <class Key, class Value>
class SingleFlight {
public:
    using Work = std::function<awaitable<Result<Value>>()>;

    explicit SingleFlight(std::size_t flights_max) : board_{std::make_shared<Board>()} { board_->max = flights_max; }
    SingleFlight(const SingleFlight&) = delete;
    SingleFlight& operator=(const SingleFlight&) = delete;
    ~SingleFlight() { stop(); }

    awaitable<Result<Value>> run(Key key, Work work) { return join(board_, std::move(key), std::move(work)); }
    std::size_t flights() const { return board_->flights.size(); }

    // Everybody who waits gets `cancelled`, now and from now on.
    void stop()
    {
        board_->max = 0;
        const auto flights = std::move(board_->flights);
        board_->flights.clear();
        for (const auto& [key, flight] : flights) {
            flight->value = fail(Errc::cancelled, "look-ups stopped");
            flight->landed.cancel();
            flight->stop.emit(asio::cancellation_type::terminal);
        }
    }

private:
    struct Flight {
        explicit Flight(const asio::any_io_executor& executor) : landed{executor, asio::steady_timer::time_point::max()}
        {
        }
        asio::steady_timer landed; // never fires: cancelled when `value` is there
        std::optional<Result<Value>> value;
        asio::cancellation_signal stop;
    };
    struct Board {
        std::size_t max = 0;
        std::unordered_map<Key, std::shared_ptr<Flight>> flights;
    };

    static awaitable<Result<Value>> join(std::shared_ptr<Board> board, Key key, Work work)
    {
        const auto executor = co_await asio::this_coro::executor;
        std::shared_ptr<Flight> flight;
        if (const auto found = board->flights.find(key); found != board->flights.end()) {
            flight = found->second;
        } else {
            if (board->flights.size() >= board->max) {
                const bool stopped = board->max == 0;
                co_return fail(stopped ? Errc::cancelled : Errc::full, "too many look-ups at once");
            }
            flight = std::make_shared<Flight>(executor);
            board->flights.emplace(key, flight);
            // The signal must outlive the coroutine, also when that never waits: its end holds the flight.
            auto ended = [flight](const std::exception_ptr& /*fly() catches*/) {};
            asio::co_spawn(executor, fly(board, key, flight, std::move(work)),
                           asio::bind_cancellation_slot(flight->stop.slot(), std::move(ended)));
        }
        if (!flight->value) [[maybe_unused]]
            const auto [code] = co_await flight->landed.async_wait(use_result);
        if (flight->value) co_return *flight->value;
        co_return fail(Errc::cancelled, "look-up cancelled");
    }

    static awaitable<> fly(std::shared_ptr<Board> board, Key key, std::shared_ptr<Flight> flight, Work work)
    {
        Result<Value> value = fail(Errc::cancelled, "look-up cancelled");
        try {
            value = co_await work();
        } catch (const std::bad_alloc&) {
            value = fail(Errc::local_fault, "out of memory in a look-up");
        } catch (const boost::system::system_error& error) { // how Asio tells a coroutine that it is cancelled
            value = std::unexpected{error_of(error.code(), "look-up")};
        }
        if (flight->value) co_return; // stop() was quicker, and has cleared the board
        flight->value = std::move(value);
        board->flights.erase(key);
        flight->landed.cancel();
    }

    std::shared_ptr<Board> board_;
};

} // namespace penguin::dns
