#include "tools/terminal_text.h"

#include <doctest/doctest.h>

using namespace nearhub::tools;

TEST_SUITE("tools") {
  TEST_CASE("terminal text: letters of every script stay, control characters become JSON escapes") {
    CHECK(terminal_text("grün 温度 \xF0\x9F\x98\x80") == "grün 温度 \xF0\x9F\x98\x80");
    CHECK(terminal_text("a\x1B[31mb\nc\rd\te") == "a\\u001b[31mb\\nc\\rd\\te");
    CHECK(terminal_text(std::string_view("\0\x07\x7F", 3)) == "\\u0000\\u0007\\u007f");
    CHECK(terminal_text("") == "");
  }

  TEST_CASE("terminal text: the one-byte forms of escape sequences, U+0080 to U+009F, do not pass") {
    CHECK(terminal_text("\xC2\x9B") == "\\u009b");
    CHECK(terminal_text("\xC2\x80\xC2\x9F\xC2\xA0") == "\\u0080\\u009f\xC2\xA0");
  }

  TEST_CASE("terminal text: characters that hide text or turn its direction are shown") {
    CHECK(terminal_text("a\xE2\x80\xAE"
                        "b") == "a\\u202eb");
    CHECK(terminal_text("\xE2\x80\x8E"
                        "AB") == "\\u200eAB");
    CHECK(terminal_text("\xE2\x81\xA6\xEF\xBB\xBF") == "\\u2066\\ufeff");
  }

  TEST_CASE("terminal text: bytes that are not UTF-8 are shown in hex") {
    CHECK(terminal_text("a\xFF\xC3") == "a\\xFF\\xC3");
    CHECK(terminal_text("\x9B"
                        "31m") == "\\x9B31m");
  }

  TEST_CASE("terminal lines: only line feeds stay") { CHECK(terminal_lines("a\nb\rc\x1B") == "a\nb\\rc\\u001b"); }

  TEST_CASE("terminal word: quoted unless it is one plain word") {
    CHECK(terminal_word("21.5") == "21.5");
    CHECK(terminal_word("") == "\"\"");
    CHECK(terminal_word("a b") == "\"a b\"");
    CHECK(terminal_word("a=b") == "\"a=b\"");
    CHECK(terminal_word("say \"hi\"") == "\"say \\\"hi\\\"\"");
    CHECK(terminal_word("\x07") == "\"\\u0007\"");
  }

  TEST_CASE("terminal width: characters, not bytes") {
    CHECK(terminal_width("grün") == 4);
    CHECK(terminal_width("") == 0);
  }
}
