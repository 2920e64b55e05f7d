# What every target of the project shares: dependencies, warnings, sanitizers, and the two functions that declare a room and a test.

find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.74 REQUIRED)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.44)
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/document.h REQUIRED)
add_library(nearhub_rapidjson INTERFACE)
target_include_directories(nearhub_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIR})

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(nearhub_flags INTERFACE)
target_compile_options(nearhub_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${NEARHUB_WERROR}>:-Werror>)
# GCC 12 sees overlaps in "text" + std::string() that cannot be (GCC bug 105651), and the unset half of a Result's variant as uninitialised.
target_compile_options(nearhub_flags INTERFACE $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-restrict;-Wno-maybe-uninitialized>)
if(NEARHUB_SANITIZE)
  target_compile_options(nearhub_flags INTERFACE -fsanitize=${NEARHUB_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(nearhub_flags INTERFACE -fsanitize=${NEARHUB_SANITIZE})
endif()
if(NEARHUB_SANITIZE MATCHES undefined)
  # The check of vptr reads memory through a pipe: where a test leaves the process no file descriptor, it calls every object a fault.
  # GCC's analysis of what may be uninitialised does not see through the sanitizers' code.
  target_compile_options(nearhub_flags INTERFACE -fno-sanitize=vptr $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(NEARHUB_ASSERTS)
  target_compile_options(nearhub_flags INTERFACE -UNDEBUG)
endif()
if(NEARHUB_FUZZ)
  target_compile_options(nearhub_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# nearhub_together(TARGET [ALONE source ...])
# With NEARHUB_UNITY, several files of the target are compiled as one, so that what they include is read once: a release builds in a third of the time.
# ALONE are those whose internal names stand in another file of the target too.
function(nearhub_together target)
  cmake_parse_arguments(TOGETHER "" "" "ALONE" ${ARGN})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${NEARHUB_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  set_source_files_properties(${TOGETHER_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# nearhub_room(NAME SOURCES ... [DEPS room ...] [LIBS target ...] [ALONE source ...])
# One room: a static library `nearhub_NAME` that can include only what DEPS allows (the table is in docs/ARCHITECTURE.md; the
# ctest `layering` checks the includes).
function(nearhub_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPS;LIBS;PRIVATE_LIBS;ALONE" ${ARGN})
  add_library(nearhub_${name} STATIC ${ROOM_SOURCES})
  nearhub_together(nearhub_${name} ALONE ${ROOM_ALONE})
  target_include_directories(nearhub_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(nearhub_${name} PRIVATE nearhub_flags ${ROOM_PRIVATE_LIBS})
  foreach(dep IN LISTS ROOM_DEPS)
    target_link_libraries(nearhub_${name} PUBLIC nearhub_${dep})
  endforeach()
  target_link_libraries(nearhub_${name} PUBLIC ${ROOM_LIBS})
endfunction()
