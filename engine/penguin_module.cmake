# How a module and a test of this project are declared.
#
#   penguin_module(engine_smtp SOURCES ... PUBLIC ... PRIVATE ...)    a static library, alias engine::smtp
#   penguin_module(... IO)                                            one that includes Asio: shares the precompiled header
#   penguin_unit_test(engine_smtp_test SOURCES ... LIBS ...)          run by ctest case by case, label "unit"
#   penguin_integration_test(queue_test SOURCES ... LIBS ...)         run by ctest as one test, label "integration"
#   penguin_fuzzer(reply_parser SOURCE ... LIBS ...)                  built when PENGUIN_FUZZERS is on

add_library(project_warnings INTERFACE)
add_library(project::warnings ALIAS project_warnings)
target_compile_options(project_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wcast-align
  -Wunused -Wnull-dereference -Werror
  -Wno-missing-designated-field-initializers) # fields left out have their defaults: that is what they are for
target_include_directories(project_warnings INTERFACE ${PROJECT_SOURCE_DIR})

set(penguin_asio_pch
  <boost/asio.hpp> <boost/asio/ssl.hpp> <boost/asio/experimental/awaitable_operators.hpp>
  <chrono> <expected> <functional> <map> <memory> <optional> <string> <unordered_map> <vector>)

function(penguin_module name)
  cmake_parse_arguments(arg "IO" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  string(REGEX REPLACE "^([a-z]+)_" "\\1::" alias ${name})
  if(NOT alias STREQUAL name)
    add_library(${alias} ALIAS ${name})
  endif()
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE project::warnings ${arg_PRIVATE})
  if(PENGUIN_CRASH_POINTS)
    target_compile_definitions(${name} PUBLIC PENGUIN_CRASH_POINTS=1)
  endif()
  if(arg_IO)
    target_link_libraries(${name} PUBLIC project::asio)
    target_precompile_headers(${name} REUSE_FROM project_asio)
  endif()
endfunction()

function(penguin_program name)
  cmake_parse_arguments(arg "IO" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE project::warnings ${arg_LIBS})
  if(arg_IO)
    target_link_libraries(${name} PRIVATE project::asio)
  endif()
  # A message costs the daemon an eighth less with it (bench/README.md). The sanitizers bring their own.
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    find_library(JEMALLOC jemalloc REQUIRED)
    target_link_libraries(${name} PRIVATE ${JEMALLOC})
  endif()
endfunction()

# Everything that the sanitizer run builds and tests a second time.
add_custom_target(unit_tests)

function(penguin_unit_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE project::warnings ${arg_LIBS} project::asio GTest::gtest_main GTest::gmock)
  target_precompile_headers(${name} REUSE_FROM project_test_headers)
  gtest_discover_tests(${name} NO_PRETTY_VALUES PROPERTIES LABELS unit TIMEOUT 60 DISCOVERY_TIMEOUT 60)
  add_dependencies(unit_tests ${name})
endfunction()

function(penguin_integration_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE project::warnings ${arg_LIBS} project::asio GTest::gtest_main GTest::gmock)
  target_precompile_headers(${name} REUSE_FROM project_test_headers)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS integration TIMEOUT ${arg_TIMEOUT})
endfunction()

function(penguin_fuzzer name)
  if(NOT PENGUIN_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(arg "" "SOURCE" "LIBS" ${ARGN})
  add_executable(fuzz_${name} ${arg_SOURCE})
  target_link_libraries(fuzz_${name} PRIVATE project::warnings ${arg_LIBS})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
