# cmake -DNEARHUB_BENCH=... -DQUERY_BENCH=... -DTRANSPORT_BENCH=... -DHANDSHAKE_BENCH=... -P smoke.cmake
# Runs the benchmarks for a moment and wants every figure to be there, whatever its value: a slow machine is no failure.

function(expect_figures output)
  foreach(figure IN LISTS ARGN)
    if(NOT output MATCHES "\n${figure}( [0-9.]+)?\n")
      message(SEND_ERROR "no line `${figure}` in:\n${output}")
    endif()
  endforeach()
endfunction()

execute_process(COMMAND ${NEARHUB_BENCH} --quick --connections 20 --clients 10 --callers 5 --seconds 0.1 --no-pin
                OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
set(load "rate [0-9.]+ 1/s" "server-cpu [0-9.]+ us" "p50 [0-9.]+ us" "p99 [0-9.]+ us" "server-busy [0-9.]+ cores" "generator-busy [0-9.]+ cores")
set(expected)
foreach(group telemetry.single.full telemetry.d1.full telemetry.d10.full telemetry.d1.normal telemetry.d1.memory telemetry.d1.full-2-loops
              twin.get twin.report desired method)
  foreach(figure IN LISTS load)
    list(APPEND expected "${group}.${figure}")
  endforeach()
endforeach()
expect_figures("${output}" ${expected}
  "connect.ec.rate [0-9.]+ 1/s" "connect.ec.server-cpu [0-9.]+ us" "connect.rsa.rate [0-9.]+ 1/s" "connect.rsa.server-cpu [0-9.]+ us"
  "idle.memory -?[0-9.]+ KiB")
if(NOT output MATCHES "mosquitto=none")
  expect_figures("${output}" "mosquitto.connect.ec.rate [0-9.]+ 1/s" "mosquitto.telemetry.d1.rate [0-9.]+ 1/s" "mosquitto.idle.memory -?[0-9.]+ KiB")
endif()

execute_process(COMMAND ${TRANSPORT_BENCH} --rounds 1 --connections 10 --seconds 0.1 OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
set(expected)
foreach(transport loop-buffer memory-bio socket-bio)
  list(APPEND expected "transport.${transport}.server-cpu [0-9.]+ us" "transport.${transport}.rate [0-9.]+ 1/s"
       "transport.${transport}.syscalls [0-9.]+ 1/message" "transport.${transport}.idle-memory -?[0-9.]+ KiB")
endforeach()
foreach(home moved.busy hopped.busy moved.lone hopped.lone)
  list(APPEND expected "home.${home}.server-cpu [0-9.]+ us" "home.${home}.rate [0-9.]+ 1/s" "home.${home}.p50 [0-9.]+ us")
endforeach()
expect_figures("\n${output}" ${expected})

execute_process(COMMAND ${QUERY_BENCH} --twins 500 --publishers 2 --repeats 1 --seconds 0.1 OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
set(expected "memory.before [0-9.]+ MiB" "memory.peak [0-9.]+ MiB")
foreach(query count none page groups connected one)
  list(APPEND expected "query.${query} [0-9.]+ ms")
endforeach()
foreach(telemetry alone with-queries)
  list(APPEND expected "telemetry.${telemetry}.rate [0-9.]+ 1/s" "telemetry.${telemetry}.p50 [0-9.]+ us" "telemetry.${telemetry}.p99 [0-9.]+ us")
endforeach()
expect_figures("${output}" ${expected})

execute_process(COMMAND ${HANDSHAKE_BENCH} --quick --no-pin OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
set(expected)
foreach(version tls13 tls12)
  foreach(kind ec.full ec.resumed ec.client-cert.full ec.client-cert.resumed rsa.full rsa.resumed rsa.client-cert.full rsa.client-cert.resumed)
    list(APPEND expected "handshake.${version}.${kind}.server-cpu [0-9.]+ us" "handshake.${version}.${kind}.rate [0-9.]+ 1/s")
  endforeach()
endforeach()
expect_figures("\n${output}" ${expected})
