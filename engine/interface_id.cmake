# Writes OUTPUT, a header with an id of the engine's headers and of how they are compiled, when that
# changed. Run with -DROOT=, -DHOW= and -DOUTPUT=.
file(GLOB_RECURSE headers LIST_DIRECTORIES false ${ROOT}/engine/*.h)
list(FILTER headers EXCLUDE REGEX "/providers/(cpu|cuda)/")
list(SORT headers)
list(APPEND headers ${ROOT}/config/engine_config.h)
set(digests "${HOW}")
foreach(header IN LISTS headers)
  file(SHA256 ${header} digest)
  string(APPEND digests ${digest})
endforeach()
string(SHA256 id "${digests}")
string(SUBSTRING ${id} 0 16 id)
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once\n#define INFERD_INTERFACE_ID \"${id}\"\n")
