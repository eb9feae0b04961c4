// Beast's non-template code, built once (BOOST_BEAST_SEPARATE_COMPILATION).
#include <boost/beast/src.hpp>
