// ThreadSanitizer sees only half of what the client libraries do: Debian builds them without it. What it says of them is not this project's.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libpaho-mqtt\n"
         "deadlock:libpaho-mqtt\n"
         "race:libmosquitto\n"
         "deadlock:libmosquitto\n";
}
