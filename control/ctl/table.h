// control/ctl/table.h
// Text in columns for people. Pure.
//
//   shown_text  what a terminal may get of a text from outside: a control character, or an octet that is no UTF-8, becomes U+FFFD,
//               so that no reply of a mail server moves the cursor or sets a colour
//   width_of    columns that a terminal gives to a shown text: 0 for combining marks, 2 for wide characters (wcwidth in C.UTF-8)
//   Table       titles once, then rows in as many parts as there are pages; widths only grow, and nothing is cut off
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace penguin::control::ctl {

std::string shown_text(std::string_view text);
std::size_t width_of(std::string_view shown);
// Filled with spaces to `width`, on the right or, of numbers, on the left.
std::string padded(std::string_view shown, std::size_t width, bool number = false);

struct Cell {
    std::string text; // shown
    bool number = false;
};
using Row = std::vector<Cell>;

class Table {
public:
    explicit Table(std::vector<std::string> titles);
    // The lines of these rows, titles first when they have not been given yet. Every row has as many cells as there are titles.
    std::string lines(const std::vector<Row>& rows);

private:
    void look_at(const std::vector<Row>& rows);
    std::string line(const Row& row) const;

    std::vector<std::string> titles_;
    std::vector<std::size_t> widths_;
    std::vector<bool> numbers_; // columns that are all numbers in the first part
    bool begun_ = false;
};

} // namespace penguin::control::ctl
