// control/ctl/view.h
// What people see of an answer: the view of a verb, applied to JSON. Pure.
//
//   values   text as it is (table.h: shown_text), numbers in digits, true and false as yes and no; null, empty and missing as -;
//            several joined by commas; an object as its JSON
#pragma once

#include <optional>
#include <string>

#include <boost/json/value.hpp>

#include "control/ctl/table.h"
#include "control/ctl/verb.h"

namespace penguin::control::ctl {

// The value (or, through an array, the values) at the end of a path, as one cell.
Cell cell_of(const boost::json::value& from, std::string_view path);

// Answers of one verb, page by page.
class Viewer {
public:
    explicit Viewer(View view);
    std::string show(const boost::json::value& answer);

private:
    std::string fields_of(const boost::json::value& answer) const;
    std::vector<Row> rows_of(const boost::json::value& answer) const;

    View view_;
    Table table_;
};

} // namespace penguin::control::ctl
